// Reads letters in other forms as the letters of ASCII that they look like.
import { Buffer } from 'node:buffer'
import type { Decoded } from './bytes.js'
import { CONFUSABLES } from './confusables.js'
import { ACCENT } from './signs.js'
import { isWord, type Reading, readingOf, STRANGE, Tokens } from './words.js'

/** Marks that are written over Latin letters, and characters that nobody sees. */
const MARKS = /(?=\p{Mn})[\p{Script=Inherited}]/gu
const INVISIBLE = /\p{Default_Ignorable_Code_Point}/gu
const TAG = /[\u{E0020}-\u{E007E}]/gu
/** Variation selectors, of which a row is a row of bytes. An honest one stands alone behind a sign. */
const SELECTORS = /[\ufe00-\ufe0f\u{e0100}-\u{e01ef}]{4,}/gu
/** Greek, Cyrillic, Armenian, Cherokee: letters that look like Latin ones. */
const SCRIPTS = /[\u0370-\u058f\u13a0-\u13ff]/

/** Letters A to Z in rows that no form of Unicode undoes: negative circled, negative squared, regional indicators. */
const ROWS = [0x1f150, 0x1f170, 0x1f1e6]
const BRAILLE = '⠁⠃⠉⠙⠑⠋⠛⠓⠊⠚⠅⠇⠍⠝⠕⠏⠟⠗⠎⠞⠥⠧⠺⠭⠽⠵'
const TURNED = 'ɐqɔpǝɟƃɥᴉɾʞʃɯuodbɹsʇnʌʍxʎz'
/** Letters for which the table of look-alikes has another letter first. */
const GREEK = 'ιΙνυηρΡγωχκτγЗɪ'
const GREEK_LIKE = 'iivunppywxktyei'
const ASCII = 'abcdefghijklmnopqrstuvwxyz'

const rows = new Map<number, string>([
  ...ROWS.flatMap((first) => Array.from(ASCII, (letter, at) => [first + at, letter] as const)),
  ...Array.from(BRAILLE, (sign, at) => [sign.codePointAt(0)!, ASCII[at]!] as const),
  [0x2800, ' '],
  ...Array.from(GREEK, (sign, at) => [sign.codePointAt(0)!, GREEK_LIKE[at]!] as const),
])
const turned = new Map(Array.from(TURNED, (sign, at) => [sign, ASCII[at]!] as const))

const plainOf = (sign: string): string => {
  const code = sign.codePointAt(0)!
  return rows.get(code) ?? CONFUSABLES.get(code) ?? sign
}

/** Letters of Latin, Greek and Cyrillic that are composed already: most tokens of such languages. */
const COMPOSED = /^[\0-\x7f\u00c0-\u012f\u0386-\u03ce\u0400-\u045f]*$/
/** Letters with an accent are letters of honest languages. */
const isAccented = (code: number): boolean => code >= 0xc0 && code < 0x250

/** A token without marks, and with letters of ASCII where it has others that look like them. */
function folded(token: string): string {
  let bare = token
  if (!COMPOSED.test(token)) {
    bare = token.normalize('NFKC')
    if (bare.search(MARKS) >= 0) bare = bare.normalize('NFD').replace(MARKS, '')
  }
  let plain = ''
  for (const sign of bare) {
    const code = sign.codePointAt(0)!
    plain += code < 0x80 || isAccented(code) ? sign : plainOf(sign)
  }
  return plain
}

/** A stretch from the first turned letter to the last. */
const ON_HEAD = /(?<![^\s:])[^\s:]*[ɐɔǝɟƃɥᴉɾʞɯɹʇʌʍʎ](?:.*[ɐɔǝɟƃɥᴉɾʞɯɹʇʌʍʎ])?\S*/s

/** Text that stands on its head, read from the other end. */
function upright(text: string): string {
  return Array.from(text, (sign) => turned.get(sign) ?? sign)
    .reverse()
    .join('')
}

/** Its lowest eight bits are the byte that a selector stands for. */
const byteOf = (selector: string): number => selector.codePointAt(0)! + (selector.length > 1 ? 16 : 0)

export function withoutLookAlikes(text: string): Decoded {
  let mixed = false
  let changed = 0
  let accented = 0
  const seen = text
    .replace(TAG, (tag) => String.fromCharCode(tag.codePointAt(0)! - 0xe0000))
    .replace(SELECTORS, (row) => ` ${Buffer.from(Array.from(row, byteOf)).toString('utf8')}`)
    .replace(INVISIBLE, '')
  let bare = ''
  let at = 0
  for (const tokens = new Tokens(seen); tokens.next();) {
    if (tokens.kind !== STRANGE) continue
    const token = seen.slice(tokens.start, tokens.end)
    const plain = folded(token)
    if (plain !== token) changed++
    if (tokens.disguise === ACCENT) accented++
    // No honest word has letters of two scripts, and is English when it has them of one.
    mixed ||= tokens.twoScripts && plain.length > 2 && isWord(plain)
    bare += seen.slice(at, tokens.start) + plain
    at = tokens.end
  }
  bare += seen.slice(at)
  const before = readingOf(text)
  const after = readingOf(bare)
  if (mixed || gains(before, after, 0.4, changed)) return { text: bare, words: true }
  const accents = bare.normalize('NFD').replace(MARKS, '')
  if (accented > 0 && gains(before, readingOf(accents), 0.7, accented) && readingOf(accents).words >= before.words + 3)
    return { text: accents, words: true }
  const onHead = ON_HEAD.exec(text)?.[0]
  for (const part of onHead === undefined ? [] : [text, onHead]) {
    const stood = upright(part)
    if (gains(readingOf(part), readingOf(stood), 0.4)) return { text: text.replace(part, () => stood), words: true }
  }
  // Letters of another layer, as in base64, are told too. Words of Russian stay as they are.
  return { text: SCRIPTS.test(text) ? text : bare, words: false }
}

/** `among`: the tokens of which a fourth must have become words, so that plain prose around them hides nothing. */
function gains(before: Reading, after: Reading, share: number, among = before.tokens): boolean {
  const words = after.words - before.words
  return words >= 2 && words * 4 >= Math.min(among, before.tokens) && after.share >= share
}

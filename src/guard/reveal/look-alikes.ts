// Reads letters in other forms as the letters of ASCII that they look like.
import { CONFUSABLES } from './confusables.js'
import { isWord, readingOf } from './words.js'

/** Marks that are written over Latin letters, and characters that nobody sees. */
const MARKS = /(?=\p{Mn})[\p{Script=Inherited}]/gu
const INVISIBLE = /\p{Default_Ignorable_Code_Point}/gu
const TAG = /[\u{E0020}-\u{E007E}]/gu
const TOKEN = /[^\s!-/:-@[-`{-~\u2010-\u2029\u3000-\u301f]+/g
/** Greek, Cyrillic, Armenian, Cherokee: letters that look like Latin ones. */
const SCRIPTS = /[\u0370-\u058f\u13a0-\u13ff]/
const PLAIN = /^[\0-\x7f]*$/
const OTHER = /[^\0-\x7f]/gu

/** Letters A to Z in rows that no form of Unicode undoes: negative circled, negative squared, regional indicators. */
const ROWS = [0x1f150, 0x1f170, 0x1f1e6]
const BRAILLE = '⠁⠃⠉⠙⠑⠋⠛⠓⠊⠚⠅⠇⠍⠝⠕⠏⠟⠗⠎⠞⠥⠧⠺⠭⠽⠵'
const TURNED = 'ɐqɔpǝɟƃɥᴉɾʞʃɯuodbɹsʇnʌʍxʎz'
/** Letters for which the table of look-alikes has another letter first. */
const GREEK = 'ιΙνυηρΡγωχκτγЗɪı'
const GREEK_LIKE = 'iivunppywxktyeii'
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

/** A token without marks, and with letters of ASCII where it has others that look like them. */
function folded(token: string): string {
  const composed = token.normalize('NFKC')
  const bare = MARKS.test(composed) ? composed.normalize('NFD').replace(MARKS, '') : composed
  MARKS.lastIndex = 0
  return bare.replace(OTHER, (sign) => (ACCENTED.test(sign) ? sign : plainOf(sign)))
}
/** Letters with an accent are letters of honest languages. */
const ACCENTED = /^[\u00c0-\u024f\u1e00-\u1eff]$/

/** Text that stands on its head, read from the other end. */
function upright(text: string): string {
  return Array.from(text, (sign) => turned.get(sign) ?? sign)
    .reverse()
    .join('')
}

export interface Folded {
  readonly text: string
  /** Whether words came to light that were none before. */
  readonly words: boolean
}

export function withoutLookAlikes(text: string): Folded {
  let mixed = false
  const bare = text
    .replace(TAG, (tag) => String.fromCharCode(tag.codePointAt(0)! - 0xe0000))
    .replace(INVISIBLE, '')
    .replace(TOKEN, (token) => {
      if (PLAIN.test(token)) return token
      const plain = folded(token)
      // No honest word has letters of two scripts, and is English when it has them of one.
      mixed ||= /[a-z]/i.test(token) && SCRIPTS.test(token) && plain.length > 2 && isWord(plain)
      return plain
    })
  const before = readingOf(text)
  const after = readingOf(bare)
  if (mixed || gains(before, after)) return { text: bare, words: true }
  const accents = bare.normalize('NFD').replace(MARKS, '')
  if (accents !== bare && gains(before, readingOf(accents), 0.7) && readingOf(accents).words >= before.words + 3)
    return { text: accents, words: true }
  if (/[ɐǝɥʇʎ]/.test(text)) {
    const stood = upright(text)
    if (gains(before, readingOf(stood))) return { text: stood, words: true }
  }
  // Letters of another layer, as in base64, are told too. Words of Russian stay as they are.
  return { text: SCRIPTS.test(text) ? text : bare, words: false }
}

type Reading = ReturnType<typeof readingOf>

function gains(before: Reading, after: Reading, share = 0.4): boolean {
  const words = after.words - before.words
  return words >= 2 && words * 4 >= before.tokens && after.share >= share
}

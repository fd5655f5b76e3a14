// Tells words from random characters: words have more of the letter pairs that are frequent in English.

/**
 * The letter pairs that make up 90 % of English, by first letter. A third of all pairs of random letters is among
 * them.
 */
const PAIRS =
  'abcdfgiklmnprstuy baelou caehiklortu dabcdegilnoprst eabcdefghilmnoprstvwx faeiort gaehiorsu haeiot ' +
  'iacdeglmnoprstv ju kei ladeilostuy maeiopsy nacdefgilnopstv obcdfiklmnoprstuvw paeilorstu qu racdeimnorstuy ' +
  'sacdefhilmnoprstuw tacehilmnoprstuwy uacdelmnprst vei waehior xt yaopst'
/** Digits that replace letters in leetspeak. */
const LEET: Readonly<Record<string, string>> = { o: '0', i: '1', e: '3', a: '4', s: '5', t: '7', b: '8', g: '9' }
/**
 * Has a 1 at `first * 128 + second` for each pair of character codes that is frequent in English, in any case and in
 * leetspeak.
 */
const LIKED = likedPairs()

/**
 * True when the text contains words: joined, in camelCase or in leetspeak. It then has more letter pairs that are
 * frequent in English than a random text.
 */
export function readsAsWords(text: string, strict: boolean): boolean {
  let changes = 0
  for (let at = 1; at < text.length; at += 1) if (kindAt(text, at) !== kindAt(text, at - 1)) changes += 1
  if (changes * 4 < text.length) return true
  const pairs = text.length - 1
  const hits = liked(text, 0, pairs)
  if (!strict) return hits >= pairs * 0.7
  if (hits >= pairs * 0.62) return true
  for (let at = 0; at < pairs; at += 1) {
    if (at + 7 <= pairs && liked(text, at, at + 7) >= 6) return true
    if (at + 3 <= pairs && liked(text, at, at + 3) === 3 && oneKind(text, at, at + 4)) return true
  }
  return false
}

/** The number of frequent pairs that begin between two positions. */
export function liked(text: string, from: number, to: number): number {
  let total = 0
  for (let at = from; at < to; at += 1) total += LIKED[text.charCodeAt(at) * 128 + text.charCodeAt(at + 1)] ?? 0
  return total
}

/** The most pairs that English likes among so many in a row. */
export function mostLiked(text: string, width: number): number {
  const pairs = text.length - 1
  let hits = liked(text, 0, Math.min(width, pairs))
  let most = hits
  for (let at = width; at < pairs; at += 1) {
    hits += liked(text, at, at + 1) - liked(text, at - width, at - width + 1)
    if (hits > most) most = hits
  }
  return most
}

function likedPairs(): Uint8Array {
  const table = new Uint8Array(128 * 128)
  const codes = (letter: string): readonly number[] =>
    [letter, letter.toUpperCase(), LEET[letter] ?? letter].map((sign) => sign.charCodeAt(0))
  for (const [first = '', ...seconds] of PAIRS.split(' '))
    for (const second of seconds) for (const a of codes(first)) for (const b of codes(second)) table[a * 128 + b] = 1
  return table
}

/** True when all letters have one case. */
function oneKind(text: string, from: number, to: number): boolean {
  const kind = kindAt(text, from)
  for (let at = from + 1; at < to; at += 1) if (kindAt(text, at) !== kind) return false
  return kind !== 'digit'
}

function kindAt(text: string, at: number): 'digit' | 'upper' | 'lower' {
  const code = text.charCodeAt(at)
  return isDigit(code) ? 'digit' : code < 0x5b ? 'upper' : 'lower'
}

export function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39
}

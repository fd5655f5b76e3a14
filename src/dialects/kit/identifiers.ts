// Decides which strings may go unjudged in a field for ids. The grammar leaves little room for words, because a model
// reads `call_tell_me_how` like prose.
import { Buffer } from 'node:buffer'

/** The prefixes that OpenAI, Anthropic, Bedrock, vLLM, LangChain and the AI SDK put before random characters. */
const PREFIXES = new Set(
  (
    'call toolu tooluse srvtoolu mcptoolu function-call chatcmpl-tool chatcmpl cmpl msg msgs aitxt aiobj resp rs fc ' +
    'fco ws fs ci cu mcp mcpl mcpr mcpa ctc ctco sh ap ts ig cmp prog run lc_run thread asst step file conv vs pmpt ' +
    'container cntr audio batch item req gen ft'
  ).split(' '),
)
const LONGEST_PREFIX = 'function-call'.length
const LONGEST_ID = 72

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
const DIGITS = /^\d{1,20}$/
const HEX = /^(?:[0-9a-f]{8,64}|[0-9A-F]{8,64})$/
const ALPHANUMERIC = /^[A-Za-z0-9]{7,32}$/

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
 * `strict` is for ids of which a request may hold many. It also refuses one short word among random characters, and
 * with it one random id in five.
 */
export function isId(text: string, strict: boolean): boolean {
  if (text.length > LONGEST_ID) return false
  const rest = withoutPrefix(withoutPrefix(text))
  if (UUID.test(rest)) return !hidesBytes(rest.replaceAll('-', ''), 'hex')
  if (DIGITS.test(rest)) return true
  if (HEX.test(rest) && digitsOf(rest) * 8 >= rest.length && digitsOf(rest) * 8 <= rest.length * 7)
    return !hidesBytes(rest, 'hex')
  // An id without a prefix must have the length of an id of Mistral, the AI SDK or nanoid.
  if (rest === text && ![9, 16, 21].includes(rest.length)) return false
  return ALPHANUMERIC.test(rest) && !readsAsWords(rest, strict) && !hidesBytes(rest, 'base64')
}

function withoutPrefix(text: string): string {
  for (let end = 1; end <= LONGEST_PREFIX; end += 1) {
    const sign = text[end]
    if ((sign !== '_' && sign !== '-') || !PREFIXES.has(text.slice(0, end))) continue
    const rest = text.slice(end + 1)
    // These prefixes contain a separator, so they are checked before the prefix that is their beginning.
    if (text.startsWith('function-call-') || text.startsWith('chatcmpl-tool-')) return text.slice(14)
    return rest.startsWith('-') || rest.startsWith('_') ? rest.slice(1) : rest
  }
  return text
}

function digitsOf(text: string): number {
  let digits = 0
  for (let at = 0; at < text.length; at += 1) if (isDigit(text.charCodeAt(at))) digits += 1
  return digits
}

/**
 * True when the text contains words: joined, in camelCase or in leetspeak. It then has more letter pairs that are
 * frequent in English than a random text.
 */
function readsAsWords(text: string, strict: boolean): boolean {
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
function liked(text: string, from: number, to: number): number {
  let total = 0
  for (let at = from; at < to; at += 1) total += LIKED[text.charCodeAt(at) * 128 + text.charCodeAt(at + 1)] ?? 0
  return total
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

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39
}

/** True when hex or base64 hides a text: several bytes in a row are characters of a text, wherever they start. */
function hidesBytes(text: string, encoding: 'hex' | 'base64'): boolean {
  const starts = encoding === 'hex' ? 2 : 4
  for (let start = 0; start < starts; start += 1)
    if (longestText(Buffer.from(text.slice(start), encoding)) >= (encoding === 'hex' ? 6 : 7)) return true
  return false
}

/** The length of the longest run of letters, digits, blanks and dots. */
function longestText(bytes: Uint8Array): number {
  let longest = 0
  let run = 0
  for (const byte of bytes) {
    const letter = byte | 0x20
    run = (letter >= 0x61 && letter <= 0x7a) || isDigit(byte) || byte === 0x20 || byte === 0x2e ? run + 1 : 0
    if (run > longest) longest = run
  }
  return longest
}

/** Random letters and digits, in which nobody reads a word. */
export function isRandom(text: string): boolean {
  return ALPHANUMERIC.test(text) && /\d/.test(text) && !readsAsWords(text, true) && !hidesBytes(text, 'base64')
}

/** Random characters, a few an event, in an event's padding: `text` is what has come so far, its newest last. */
export function isPadding(text: string, newest: string): boolean {
  if (!/^[A-Za-z0-9]*$/.test(newest)) return false
  const pairs = newest.length - 1
  if (pairs >= 5 && liked(newest, 0, pairs) > pairs * (pairs > 7 ? 0.8 : 0.9)) return false
  return (
    mostLiked(text, 24) <= Math.max(8, Math.min(24, text.length - 1) * 0.8) &&
    mostLiked(text, 96) <= Math.max(16, Math.min(96, text.length - 1) * 0.6) &&
    !hidesBytes(newest, 'base64') &&
    !(HEX.test(newest) && hidesBytes(newest, 'hex'))
  )
}

const BLOB_SLICE = 60_000
const BLOB = /^[A-Za-z0-9+/_-]{32,131072}={0,2}$/
/** Window widths, and the most frequent pairs that a window may hold. Measured on 80 kB of random base64. */
const LONG_WINDOWS = [
  [96, 0.7],
  [48, 0.8],
] as const
const SHORT_WINDOWS = [
  [48, 0.66],
  [16, 0.8],
] as const

/**
 * True for encrypted or signed data of a vendor: base64 that holds neither words nor a text in base64 or hex. At most
 * 128 KiB.
 */
export function isBlob(text: string): boolean {
  if (!BLOB.test(text)) return false
  const letters = text.replace(/[-_+/=]/g, '')
  if (letters.length < 24) return false
  const windows = letters.length > 96 ? LONG_WINDOWS : SHORT_WINDOWS
  for (const [width, most] of windows)
    if (mostLiked(letters, width) > Math.min(width, letters.length - 1) * most) return false
  if (HEX.test(letters.slice(0, 64)) && hidesBytes(letters, 'hex')) return false
  return longestText(Buffer.from(text, 'base64')) < Math.min(48, text.length / 4)
}

/** Such data of any length. */
export function isBlobOfAnyLength(text: string): boolean {
  for (let at = 0; at === 0 || at < text.length; at += BLOB_SLICE) {
    // The last slice takes the rest with it where that would be too short to tell.
    const last = text.length - at < BLOB_SLICE * 2
    if (!isBlob(last ? text.slice(at) : text.slice(at, at + BLOB_SLICE))) return false
    if (last) return true
  }
  return true
}

/** The most pairs that English likes among so many in a row. */
function mostLiked(text: string, width: number): number {
  const pairs = text.length - 1
  let hits = liked(text, 0, Math.min(width, pairs))
  let most = hits
  for (let at = width; at < pairs; at += 1) {
    hits += liked(text, at, at + 1) - liked(text, at - width, at - width + 1)
    if (hits > most) most = hits
  }
  return most
}

/** True when the numbers are character codes that spell words. */
export function spellsWords(codes: readonly number[]): boolean {
  const letters = codes
    .filter((code) => (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a))
    .map((code) => String.fromCharCode(code))
    .join('')
  return (
    letters.length >= 8 &&
    letters.length > codes.length * 0.7 &&
    liked(letters, 0, letters.length - 1) >= (letters.length - 1) * 0.65
  )
}

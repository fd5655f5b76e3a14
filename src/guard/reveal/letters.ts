// Reads words whose letters stand apart, are replaced by digits, are shifted in the alphabet, or run backwards.
import { isWord, KNOWN, MIXED, NUMBER, readingOf, segmented, Tokens, wordAmong } from './words.js'
import { type Decoded, PRINTABLE, Replacing, reversed, translated, WORDS } from './bytes.js'

const LETTER = /[\p{L}\p{N}]/u
/** The fewest letters that stand apart, in a row. */
const FEWEST_APART = 4
/** Words whose letters stand apart: `b.o.m.b`, `b o m b`. */
export function withoutGaps(text: string): Decoded | undefined {
  const out = new Replacing(text)
  for (let start = 0; start < text.length;) {
    // Most letters stand beside another, and most signs are not repeated.
    const gap = text.charCodeAt(start + 1)
    const next = text.charCodeAt(start + 3)
    const row = isAscii(gap) || (next !== gap && next > 32) ? undefined : rowFrom(text, start)
    if (row === undefined) {
      start++
      continue
    }
    start = row.end
    const plain = row.plain.includes(' ') ? row.plain : segmentedAll(row.plain)
    const { words, share } = readingOf(plain)
    const reads = (words >= 2 && share >= 0.5) || (words === 1 && share === 1)
    // Capitals with dots are an abbreviation.
    const tells = reads && (words > 1 || plain !== plain.toUpperCase())
    if (reads || row.plain.length >= 12) out.put(row.start, row.end, plain, tells ? WORDS : PRINTABLE)
  }
  return out.done()
}

/** Whether this is a letter of ASCII. */
const isAscii = (code: number): boolean => (code | 32) >= 97 && (code | 32) <= 122

const segmentedAll = (text: string): string =>
  text.replace(/[a-z]{12,}/gi, (letters) => (isWord(letters) ? letters : (segmented(letters) ?? letters)))

type Row = Stretch & { readonly plain: string }

/** The signs that stand apart from here on, each with the same sign behind it. */
function rowFrom(text: string, start: number): Row | undefined {
  const gap = text[start + 1]
  if (!LETTER.test(text[start]!) || (start > 0 && LETTER.test(text[start - 1]!))) return undefined
  let plain = text[start]!
  let letters = 1
  let at = start + 1
  for (; at + 1 < text.length;) {
    if (text[at] !== gap) {
      // Two blanks, or a blank among dots, stand between two words.
      if (!/\s/.test(text[at]!) || text[at + 2] !== gap) break
      plain += ' '
      at++
      if (LETTER.test(text[at]!)) {
        plain += text[at]!
        letters++
        at++
      }
      continue
    }
    const sign = text[at + 1]!
    if (LETTER.test(sign) && at + 2 < text.length && LETTER.test(text[at + 2]!)) break
    if (sign === gap && gap === ' ') {
      // The blank of the text itself, or a second gap.
      plain += ' '
      at += text[at + 2] === ' ' ? 2 : 1
      continue
    }
    plain += sign
    if (LETTER.test(sign)) letters++
    at += 2
  }
  if (letters < FEWEST_APART) return undefined
  return { start, end: at, plain: plain.replace(/ {2,}/g, ' ') }
}

/** The letter that each sign of ASCII may stand for, and 128 places behind it another one, or 0. */
const LETTERS_OF_SIGNS = Uint8Array.from({ length: 256 }, (_, code) => (code < 128 ? code : 0))
for (const row of '0o 1il 2z 3e 4a 5s 6gb 7t 8b 9g @a $s !il |il'.split(' ')) {
  LETTERS_OF_SIGNS[row.charCodeAt(0)] = row.charCodeAt(1)
  LETTERS_OF_SIGNS[row.charCodeAt(0) + 128] = row.charCodeAt(2)
}

/** Longer tokens are keys and hashes, and longer numbers are numbers. */
const LONGEST_LEET = 16
const LONGEST_NUMBER = 4
/** Different words that are no accident. */
const DISTINCT = 3
/** Words in a row without such signs that end a stretch of leetspeak. */
const PLAIN_ROW = 8

/** Whether a token has a sign for a letter. */
export const mayBeLeet = ({ start, end, kind, glue }: Tokens): boolean =>
  kind === MIXED && glue === 0 && end - start <= LONGEST_LEET

export const leetWord = (token: Tokens): number | undefined => wordAmong(token, LETTERS_OF_SIGNS)

/** Words with digits and signs for letters: `m4k3`. */
export function withoutLeet(text: string): Decoded | undefined {
  const tokens = new Tokens(text)
  const out = new Replacing(text)
  const { units } = tokens
  const read = new Set<string>()
  let [first, last, count, unread, row] = [0, 0, 0, 0, 0]
  const close = (): void => {
    if (read.size >= DISTINCT && count * 2 >= unread) out.put(first, last, tokens.from(first, last))
    read.clear()
    first = last
    count = unread = row = 0
  }
  while (tokens.next(true)) {
    row += tokens.passed + 1
    const { start, end, kind } = tokens
    const numeric = kind === NUMBER && end - start <= LONGEST_NUMBER
    const choice = numeric || mayBeLeet(tokens) ? leetWord(tokens) : undefined
    if (choice === undefined && !mayBeLeet(tokens)) continue
    if (row > PLAIN_ROW) close()
    if (last <= first) first = start
    row = 0
    last = end
    if (choice === undefined) unread++
    else if (!numeric && end - start > 2) {
      count++
      if (read.size < DISTINCT) read.add(text.slice(start, end))
    }
    for (let at = start, bit = 1; at < end; at++) {
      const code = units[at]!
      const second = LETTERS_OF_SIGNS[code + 128]
      units[at] = (second && choice! & bit && second) || (LETTERS_OF_SIGNS[code] ?? code)
      if (second) bit *= 2
    }
  }
  close()
  return out.done()
}

interface Stretch {
  readonly start: number
  readonly end: number
}

/** Stretches of words that nobody knows. A known word among them may be there by accident. */
function stretches(text: string): Stretch[] {
  const tokens = new Tokens(text)
  const found: Stretch[] = []
  const none = { score: 0, start: 0, end: 0, count: 0 }
  let best = none
  let [start, score, count] = [0, 0, 0]
  const close = (): void => {
    if (best.count >= 3) found.push({ start: best.start, end: best.end })
    score = count = 0
    best = none
  }
  while (tokens.next()) {
    const unknown = tokens.kind !== KNOWN
    if (tokens.kind === NUMBER || (!unknown && tokens.letters === 1)) continue
    if (score === 0 && !unknown) continue
    if (score === 0) start = tokens.start
    score = unknown ? score + 1 : score - 1
    count++
    if (score > best.score || (score === best.score && unknown)) best = { score, start, end: tokens.end, count }
    if (score <= 0 || score < best.score - 4) close()
  }
  close()
  return found
}

/** How often each letter stands in English, in tenths of a percent. P. Norvig, https://norvig.com/mayzner.html. */
const OFTEN = [80, 15, 33, 38, 125, 24, 19, 51, 76, 2, 5, 41, 25, 72, 76, 21, 1, 63, 65, 93, 27, 11, 17, 2, 17, 1]
const LOGS = OFTEN.map((share) => Math.log(share))

/** What a letter of a language adds to the likelihood. One of a shifted alphabet adds 3. */
const NATURAL = 3.8
/** Where each letter stands in shifted alphabets, and in one that runs backwards. */
const ALPHABETS: readonly ((letter: number) => number)[] = [
  ...Array.from({ length: 25 }, (_, shift) => (letter: number) => (letter + shift + 1) % 26),
  (letter) => 25 - letter,
]

/** All visible signs of ASCII, shifted by half their number. */
const rot47 = (text: string): string =>
  text.replace(/[!-~]/g, (sign) => String.fromCharCode(33 + ((sign.charCodeAt(0) + 14) % 94)))

/** Characters of a stretch by which its readings are compared, and those that tell whether it runs backwards. */
const TRIED = 300
const FIRST_TRIED = 100

/** The ways of reading a stretch that may be English, by how often each letter stands in it. */
function waysOf(sample: string): ((text: string) => string)[] {
  const counts = new Array<number>(26).fill(0)
  let letters = 0
  let small = 0
  for (let at = 0; at < sample.length; at++) {
    const code = sample.charCodeAt(at)
    const letter = (code | 32) - 97
    if (letter < 0 || letter > 25) continue
    counts[letter]!++
    letters++
    if (code > 96) small++
  }
  const ways: ((text: string) => string)[] = []
  // ROT47 makes digits, signs and capitals of small letters.
  if (small * 2 < sample.length) ways.push(rot47)
  if (readingOf(reversed(sample.slice(0, FIRST_TRIED))).words >= 2) ways.push(reversed)
  if (letters < 8) return ways
  const likely = (place: (letter: number) => number): number =>
    counts.reduce((sum, count, letter) => sum + count * LOGS[place(letter)]!, 0)
  const plain = likely((letter) => letter)
  // The letters of a language stand in it about as often as in English.
  if (plain > NATURAL * letters) return ways
  const best = ALPHABETS.map((place) => ({ score: likely(place), read: translated(place) }))
    .filter(({ score }) => score > plain)
    .sort((a, b) => b.score - a.score)
  for (const { read } of best.slice(0, 3)) ways.push(read, (each) => reversed(read(each)))
  return ways
}

const wordsReversed = (text: string): string =>
  text.replace(/\S+/g, (word) => {
    let start = 0
    let end = word.length
    while (start < end && !LETTER.test(word[start]!)) start++
    while (end > start && !LETTER.test(word[end - 1]!)) end--
    return word.slice(0, start) + reversed(word.slice(start, end)) + word.slice(end)
  })

/** Signs between which a stretch is read first, so that words which are known by accident are not left out. */
const EDGE = /[:"\n\u201c\u201d]/
/** How far away such a sign may be. */
const NEAR = 60

function widened(text: string, { start, end }: Stretch, from: number): Stretch {
  let first = start
  while (first > Math.max(from, start - NEAR) && !EDGE.test(text[first - 1]!)) first--
  let last = end
  while (last < Math.min(text.length, end + NEAR) && !EDGE.test(text[last]!)) last++
  return { start: first, end: last }
}

/** Words that run backwards or are written in a shifted alphabet. */
export function withoutCiphers(text: string): Decoded | undefined {
  if (readingOf(text, 1_000).share < 0.4) {
    const whole = deciphered(text)
    if (whole !== undefined) return { text: whole, words: true }
  }
  const out = new Replacing(text)
  for (const part of stretches(text)) {
    if (part.start < out.at) continue
    const plain = deciphered(text.slice(part.start, part.end))
    if (plain === undefined) continue
    const wide = widened(text, part, out.at)
    const more = deciphered(text.slice(wide.start, wide.end))
    const { start, end } = more === undefined ? part : wide
    out.put(start, end, more ?? plain)
  }
  return out.done()
}

function deciphered(text: string): string | undefined {
  const sample = text.slice(0, TRIED)
  const ways = waysOf(sample)
  if (ways.length === 0) return undefined
  const before = readingOf(sample)
  let best: ((text: string) => string) | undefined
  let most = Math.max(0.6, before.share + 0.25)
  for (const way of ways) {
    const { words, share } = readingOf(way(sample))
    if (words < 3 || share < most) continue
    most = share
    best = way
  }
  if (best === undefined) return undefined
  // Words that run backwards may each do so in its place, or all of them as one: both are told.
  return best === reversed ? `${reversed(text)}\n${wordsReversed(text)}` : best(text)
}

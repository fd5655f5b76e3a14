// Reads what a text says in an encoding or a disguise, so that a guard model, which reads words, judges it too. One
// quick look tells which kinds of disguise a text may hold. Most texts hold none, and nothing more is done.
import type { Conversation, Stage, Turn } from '../../types.js'
import { type Decoded, Replacing, withoutBase64 } from './bytes.js'
import { unescaped } from './escapes.js'
import { leetWord, mayBeLeet, withoutCiphers, withoutGaps, withoutLeet } from './letters.js'
import { withoutLookAlikes } from './look-alikes.js'
import { withoutMorse } from './morse.js'
import { encodedIn, withoutNumbers } from './numbers.js'
import { ACCENT, SCRIPT } from './signs.js'
import { KNOWN, LONG_GAP, MIXED, NUMBER, readingOf, STRANGE, Tokens, UNKNOWN } from './words.js'

/** How many encodings inside each other are undone. */
const LAYERS = 2
/** Characters that are told before and behind what was decoded, so that a long text is not judged twice. */
const AROUND = 400

/** Characters that are looked at together. A long text is decoded only where it looks encoded. */
const PART = 1_000
const BLANK = /\s/g

/** The whole parts at the beginning of a text, which stay as they are while it grows, and what each may hold. */
interface Parts {
  text: string
  found: number[]
}

/** The stretches of a text that may be encoded, and the kinds of disguise that they may hold. */
function suspects(text: string, known: Parts): { readonly start: number; end: number; found: number }[] {
  // startsWith() takes 3 ns a character.
  if (text.slice(0, known.text.length) !== known.text) Object.assign(known, { text: '', found: [] })
  const all: { readonly start: number; end: number; found: number }[] = []
  for (let start = 0, end, part = 0; start < text.length; start = end, part++) {
    // A part ends behind a word or a line.
    BLANK.lastIndex = start + PART
    const isWhole = BLANK.test(text)
    end = isWhole ? BLANK.lastIndex : text.length
    const found = known.found[part] ?? look(text.slice(start, end))
    if (isWhole && part === known.found.length) {
      known.text = text.slice(0, end)
      known.found.push(found)
    }
    const last = all.at(-1)
    if (found === 0) continue
    if (last?.end !== start) all.push({ start, end, found })
    else {
      last.end = end
      last.found |= found
    }
  }
  return all
}

/** One layer less, or undefined when there is none. `words` tells whether words came to light. */
function peeled(text: string, found: number): Decoded | undefined {
  let plain = text
  let words = false
  const take = (decoded: Decoded | undefined): void => {
    if (decoded === undefined || decoded.text === plain) return
    plain = decoded.text
    words ||= decoded.words
  }
  if (found & LOOK_ALIKES) take(withoutLookAlikes(plain))
  if (found & ESCAPES) take(escapesOf(plain))
  if (found & APART) take(withoutGaps(plain))
  if (found & NUMBERS) take(withoutNumbers(plain))
  if (found & LONG) take(withoutBase64(plain))
  if (found & MORSE) take(withoutMorse(plain))
  if (found & LEET) take(withoutLeet(plain))
  if (found & UNREADABLE && !words) take(withoutCiphers(plain))
  return plain === text ? undefined : { text: plain, words }
}

/** Words that a URL in a text may hold without being judged again: a search, a title. */
const WORDS_OF_A_URL = 6
const NOT_LATIN = /[^\p{Script=Latin}\p{Script=Common}\p{Script=Inherited}]/gu
/** Letters of other scripts that count as a word. Some scripts put nothing between words. */
const LETTERS = 5

function escapesOf(text: string): Decoded {
  const plain = unescaped(text)
  if (plain === text) return { text, words: false }
  const before = readingOf(text)
  const after = readingOf(plain)
  const foreign = (plain.match(NOT_LATIN)?.length ?? 0) - (text.match(NOT_LATIN)?.length ?? 0)
  const gained = after.words - before.words + Math.floor(foreign / LETTERS)
  return { text: plain, words: gained >= (text.includes('://') ? WORDS_OF_A_URL : 3) }
}

/**
 * Decodes a text, or the stretches of it that are encoded or disguised: base64, base32, hex, binary, octal, decimal,
 * escapes of URLs, HTML, JSON and mail, Morse code, look-alike letters, letters that stand apart, leetspeak, shifted
 * alphabets, letters in reverse, up to two of them inside each other. Returns the text with the decoded words in their
 * place, or undefined when no words of English, or of another script, come to light. Takes time linear in the length
 * of the text, and for ordinary text one quick look.
 */
export function reveal(text: string, known: Parts = { text: '', found: [] }): string | undefined {
  const out = new Replacing(text)
  for (const { start, end, found } of suspects(text, known)) {
    const plain = decoded(text.slice(start, end), found)
    if (plain !== undefined) out.put(start, end, plain)
  }
  const form = out.done()
  return form && around(text, form.text)
}

function decoded(text: string, found: number): string | undefined {
  let form = text
  let words = false
  for (let layer = 0; layer < LAYERS; layer++) {
    const next = peeled(form, layer === 0 ? found : look(form))
    if (next === undefined) break
    form = next.text
    words ||= next.words
  }
  return words && form !== text ? form : undefined
}

/** The part of a form that differs from the text, and a little around it. */
function around(text: string, form: string): string {
  let same = 0
  while (same < form.length && form.charCodeAt(same) === text.charCodeAt(same)) same++
  let last = 0
  const most = Math.min(form.length, text.length) - same
  while (last < most && form.charCodeAt(form.length - 1 - last) === text.charCodeAt(text.length - 1 - last)) last++
  return form.slice(Math.max(0, same - AROUND), form.length - Math.max(0, last - AROUND))
}

/** Of the last reply of each request: a stream is judged from its beginning with each check. */
const REPLIES = new WeakMap<object, Parts>()

/**
 * Returns the conversations, and behind them a decoded form of each that has an encoded turn. At the output only the
 * reply is decoded, because the turns before it were judged at the input.
 */
export function withForms(
  conversations: readonly Conversation[],
  stage: Stage,
  request: object = {},
): readonly Conversation[] {
  const known = (stage === 'output' ? REPLIES.get(request) : undefined) ?? { text: '', found: [] }
  if (stage === 'output') REPLIES.set(request, known)
  const decoded = new Map<Turn, Turn>()
  const seen = new Set<Turn>()
  const forms: Conversation[] = []
  for (const conversation of conversations) {
    let fresh = false
    for (const turn of stage === 'output' ? conversation.slice(-1) : conversation) {
      // A conversation that is none is an error of the guard that is asked about it.
      if (typeof (turn as Turn | undefined)?.text !== 'string' || seen.has(turn)) continue
      seen.add(turn)
      const text = reveal(turn.text, known)
      if (text === undefined) continue
      decoded.set(turn, { role: turn.role, text })
      fresh = true
    }
    if (fresh) forms.push(conversation.map((turn) => decoded.get(turn) ?? turn))
  }
  return forms.length === 0 ? conversations : [...conversations, ...forms]
}

/** Escapes of URLs, HTML, JSON and mail. */
const ESCAPES = 1
/** Signs outside ASCII that may look like, or stand on, letters of ASCII. */
const LOOK_ALIKES = 2
/** Letters that stand apart. */
const APART = 4
/** Rows of numbers. */
const NUMBERS = 8
/** Long tokens that may be base64 or base32. */
const LONG = 16
/** Many dots and dashes. */
const MORSE = 32
/** Digits in words. */
const LEET = 64
/** Several words in a row that nobody knows. */
const UNREADABLE = 128

const FEW = 3
/** Dots and dashes of the shortest message in Morse code. */
const MORSE_MARKS = 12
/** What an unknown word adds to the doubt, and a known one takes from it; and the doubt that is enough. */
const DOUBT = 2
const ENOUGH = 8
const LONGEST_WORD = 24
/** Numbers of the shortest row. An address of the internet has one less. */
const ROW = 5
const ESCAPE = /%u?[\da-f]{2}|&#[\dx]|&[a-z]{2,8};|\\[ux\d]|=[\da-f]{2}=|u\+[\da-f]|\+[a-z']{1,16}(?=\+)/gi
/** Tokens that may be leetspeak, and are not: beyond them no more are tried in a part. */
const MOST_MISSES = 12

const MARK = /[._\u00b7\u2022\u2212\u2013-]/g
/** Dots and dashes between two tokens. A row of them is a line of a table, and more are no Morse code. */
const marksOf = (gap: string): number => gap.slice(-64).match(MARK)?.length ?? 0

/** Other short tokens are no numbers. Without it, texts of words with digits cost twice: .19 and .40 ms of 12 kB. */
function isHex({ units, start, end }: Tokens): boolean {
  let at = start
  if (units[at] === 48 && at + 1 < end && (units[at + 1]! | 32) > 97) at += 2
  for (; at < end; at++) {
    const code = units[at]! | 32
    if (code > 102 || (code > 57 && code < 97)) return false
  }
  return true
}
/** Whether a word has a capital inside, as in code. A capital at its end may begin a word that runs backwards. */
const isName = ({ units, start, end, small, camel }: Tokens): boolean =>
  camel && (small < end - start - 1 || units[end - 1]! >= 97)

/** Which kinds of disguise a part of a text may hold. Each token that is no known word is looked at by itself. */
function look(text: string): number {
  const tokens = new Tokens(text)
  let [found, doubt, apart, numbers, escapes, misses, marks] = [0, 0, 0, 0, 0, 0, 0]
  const leet = new Set<string>()
  let [accents, knowns, unknowns, others] = [0, 0, 0, 0]
  for (;;) {
    const more = tokens.next(true)
    const { kind, passed, before, start, end } = tokens
    if (passed > 0) {
      doubt = Math.max(0, doubt - passed * DOUBT)
      accents = Math.max(0, accents - passed)
      knowns += passed
      apart = numbers = 0
    }
    const gap = start - before
    if (gap >= LONG_GAP) marks += marksOf(text.slice(before, start))
    if (!more) break
    const size = end - start
    if (size === 1) {
      // A gap of more signs stands between two words.
      if (apart === 0 || gap === 1) apart++
      else if (gap > FEW) apart = 1
      if (apart > FEW) found |= APART
    } else apart = 0
    if (kind === KNOWN) {
      numbers = 0
      // A known word of one letter (`a`, `I`) proves no English, because encoded texts hold such letters too.
      if (size === 1) continue
      doubt = Math.max(0, doubt - DOUBT)
      knowns++
      continue
    }
    numbers = kind === NUMBER || (size <= 10 && (kind === MIXED || size <= 2) && isHex(tokens)) ? numbers + 1 : 0
    if (numbers >= ROW) found |= NUMBERS
    if (kind === STRANGE) {
      if (tokens.disguise === ACCENT) accents += DOUBT
      if (tokens.disguise >= SCRIPT || accents >= ENOUGH) found |= LOOK_ALIKES
      found |= encodedIn(tokens, LONG, NUMBERS)
      continue
    }
    if (size === 1) continue
    accents = Math.max(0, accents - 1)
    if (kind === MIXED && tokens.glue > 0) escapes += text.slice(start, end).match(ESCAPE)?.length ?? 0
    // ROT47 writes small letters for capitals alone.
    if (size <= LONGEST_WORD && (kind === UNKNOWN ? !isName(tokens) : tokens.small <= 1)) {
      doubt += DOUBT
      if (doubt >= ENOUGH) found |= UNREADABLE
      unknowns++
    } else {
      doubt = Math.max(0, doubt - 1)
      others++
    }
    if (tokens.inner > 0 && leet.size < FEW && misses < MOST_MISSES && mayBeLeet(tokens)) {
      if (leetWord(tokens) === undefined) misses++
      else leet.add(text.slice(start, end))
    }
    found |= encodedIn(tokens, LONG, NUMBERS)
  }
  if (escapes >= FEW) found |= ESCAPES
  if (marks >= MORSE_MARKS) found |= MORSE
  if (leet.size >= FEW) found |= LEET
  if (unknowns >= FEW && unknowns > knowns + others) found |= UNREADABLE
  return found
}

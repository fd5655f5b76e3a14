// Reads what a text says in an encoding or a disguise, so that a guard model, which reads words, judges it too. One
// quick look tells which kinds of disguise a text may hold. Most texts hold none, and nothing more is done.
import type { Conversation, Stage, Turn } from '../../types.js'
import { withoutBase64, withoutNumbers } from './bytes.js'
import { unescaped } from './escapes.js'
import { withoutCiphers, withoutGaps, withoutLeet } from './letters.js'
import { withoutLookAlikes } from './look-alikes.js'
import { withoutMorse } from './morse.js'
import { KNOWN, MIXED, NUMBER, readingOf, STRANGE, Tokens, UNKNOWN } from './words.js'

/** How many encodings inside each other are undone. */
const LAYERS = 2
/** Characters that are told before and behind what was decoded, so that a long text is not judged twice. */
const AROUND = 400

/** Characters that are looked at together. A long text is decoded only where it looks encoded. */
const PART = 1_000
/** How much longer a part may be, so that it ends behind a line or a word. */
const MORE = 200

/** The stretches of a text that may be encoded, and the kinds of disguise that they may hold. */
function suspects(text: string): { readonly start: number; end: number; found: number }[] {
  const all: { readonly start: number; end: number; found: number }[] = []
  for (let start = 0, end; start < text.length; start = end) {
    end = text.length
    if (start + PART + MORE < text.length) {
      const gap = /\s/.exec(text.slice(start + PART, start + PART + MORE))
      end = start + PART + (gap === null ? 0 : gap.index + 1)
    }
    const found = look(text, start, end)
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
function peeled(text: string, found: number): { text: string; words: boolean } | undefined {
  let plain = text
  let words = false
  const take = (decoded: { readonly text: string; readonly words: boolean } | undefined): void => {
    if (decoded === undefined || decoded.text === plain) return
    plain = decoded.text
    words ||= decoded.words
  }
  if (found & LOOK_ALIKES) take(withoutLookAlikes(plain))
  if (found & ESCAPES) take(escapesOf(plain))
  if (found & APART) take(withoutGaps(plain))
  if (found & (NUMBERS | APART)) take(withoutNumbers(plain))
  if (found & LONG) take(withoutBase64(plain))
  if (found & MORSE) take(withoutMorse(plain))
  if (found & LEET) take(withoutLeet(plain))
  if (found & (UNREADABLE | LOOK_ALIKES)) take(withoutCiphers(plain))
  return plain === text ? undefined : { text: plain, words }
}

/** Words that a URL in a text may hold without being judged again: a search, a title. */
const WORDS_OF_A_URL = 6
const NOT_LATIN = /[^\p{Script=Latin}\p{Script=Common}\p{Script=Inherited}]/gu
/** Letters of other scripts that count as a word. Some scripts put nothing between words. */
const LETTERS = 5

function escapesOf(text: string): { text: string; words: boolean } {
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
export function reveal(text: string): string | undefined {
  let form = ''
  let at = 0
  for (const { start, end, found } of suspects(text)) {
    const plain = decoded(text.slice(start, end), found)
    if (plain === undefined) continue
    form += text.slice(at, start) + plain
    at = end
  }
  return at === 0 ? undefined : around(text, form + text.slice(at))
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

/**
 * Returns the conversations, and behind them a decoded form of each that has an encoded turn. At the output only the
 * reply is decoded, because the turns before it were judged at the input.
 */
export function withForms(conversations: readonly Conversation[], stage: Stage): readonly Conversation[] {
  const decoded = new Map<Turn, Turn>()
  const seen = new Set<Turn>()
  const forms: Conversation[] = []
  for (const conversation of conversations) {
    let fresh = false
    for (const turn of stage === 'output' ? conversation.slice(-1) : conversation) {
      // A conversation that is none is an error of the guard that is asked about it.
      if (typeof (turn as Turn | undefined)?.text !== 'string' || seen.has(turn)) continue
      seen.add(turn)
      const text = reveal(turn.text)
      if (text === undefined) continue
      decoded.set(turn, { role: turn.role, text })
      fresh = true
    }
    if (fresh) forms.push(conversation.map((turn) => decoded.get(turn) ?? turn))
  }
  return forms.length === 0 ? conversations : [...conversations, ...forms]
}

/** Escapes of URLs, HTML, JSON and mail. */
export const ESCAPES = 1
/** Signs outside ASCII that may look like, or stand on, letters of ASCII. */
export const LOOK_ALIKES = 2
/** Letters that stand apart. */
export const APART = 4
/** Rows of numbers. */
export const NUMBERS = 8
/** Long tokens that may be base64 or base32. */
export const LONG = 16
/** Many dots and dashes. */
export const MORSE = 32
/** Digits in words. */
export const LEET = 64
/** Several words in a row that nobody knows. */
export const UNREADABLE = 128

const FEW = 3
/** Dots and dashes of the shortest message in Morse code. */
const MORSE_MARKS = 12
/** What an unknown word adds to the doubt, and a known one takes from it; and the doubt that is enough. */
const DOUBT = 2
const ENOUGH = 8
/** The shortest token that may be base64, and the shortest without digits or capitals inside. */
const SHORT = 8
const LONG_WORD = 16

const isMark = (code: number): boolean =>
  code === 0x2e ||
  code === 0x2d ||
  code === 0x5f ||
  code === 0xb7 ||
  code === 0x2022 ||
  code === 0x2212 ||
  code === 0x2013

export function look(text: string, first = 0, last = text.length): number {
  const tokens = new Tokens(text, first, last)
  let found = 0
  let doubt = 0
  let apart = 0
  let numbers = 0
  let mixed = 0
  let marks = 0
  let before = first
  let knowns = 0
  let unknowns = 0
  while (tokens.next()) {
    const { kind, start, end } = tokens
    const size = end - start
    // Signs between two tokens. A row of marks is a line of a table, and more of them are no Morse code.
    if (start - before > 1)
      for (let at = Math.max(before, start - 64); at < start; at++) if (isMark(text.charCodeAt(at))) marks++
    before = end
    // Most tokens are known words.
    if (kind === KNOWN && size > 1) {
      if (doubt > 0) doubt = Math.max(0, doubt - DOUBT)
      knowns++
      apart = numbers = 0
      continue
    }
    apart = size === 1 ? apart + 1 : 0
    if (apart > FEW) found |= APART
    // `a` and `I` stand in texts of every kind.
    if (kind === KNOWN) {
      numbers = 0
      continue
    }
    doubt += kind === NUMBER ? 1 : DOUBT
    if (size > 1 && kind !== NUMBER) unknowns++
    if (doubt >= ENOUGH) found |= UNREADABLE
    numbers = size <= 10 && (kind === NUMBER || kind === MIXED || size <= 2) ? numbers + 1 : 0
    if (numbers > FEW) found |= NUMBERS
    if (kind === NUMBER && size >= LONG_WORD) found |= NUMBERS
    else if (kind === MIXED) {
      if (++mixed >= FEW) found |= LEET | ESCAPES
      if (size >= SHORT) found |= LONG | ESCAPES | NUMBERS
    } else if (kind === UNKNOWN && (size >= LONG_WORD || (size >= SHORT && tokens.camel))) found |= LONG
    else if (kind === STRANGE) found |= LOOK_ALIKES
  }
  for (let at = Math.max(before, last - 64); at < last; at++) if (isMark(text.charCodeAt(at))) marks++
  if (marks >= MORSE_MARKS) found |= MORSE
  if (unknowns >= FEW && unknowns > knowns) found |= UNREADABLE
  return found
}

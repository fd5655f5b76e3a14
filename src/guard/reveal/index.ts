// Reads what a text says in an encoding or a disguise, so that a guard model, which reads words, judges it too.
import { withoutBase64, withoutNumbers } from './bytes.js'
import { unescaped } from './escapes.js'
import { withoutCiphers, withoutGaps, withoutLeet } from './letters.js'
import { withoutLookAlikes } from './look-alikes.js'
import { APART, ESCAPES, LEET, LONG, look, LOOK_ALIKES, MORSE, NUMBERS, UNREADABLE } from './look.js'
import { withoutMorse } from './morse.js'
import { readingOf } from './words.js'

/** How many encodings inside each other are undone. */
const LAYERS = 2
/** Characters that are told before and behind what was decoded, so that a long text is not judged twice. */
const AROUND = 400

/** One layer less, or undefined when there is none. `words` tells whether words came to light. */
function peeled(text: string): { text: string; words: boolean } | undefined {
  const found = look(text)
  if (found === 0) return undefined
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
  let form = text
  let words = false
  for (let layer = 0; layer < LAYERS; layer++) {
    const next = peeled(form)
    if (next === undefined) break
    form = next.text
    words ||= next.words
  }
  return words && form !== text ? around(text, form) : undefined
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

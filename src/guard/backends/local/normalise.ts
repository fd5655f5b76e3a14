// Undoes the cheap ways of hiding English text from a word-based screen: look-alikes, invisible characters,
// leetspeak. A disguise alone never makes a text unsafe. The hidden words are read and judged.
import { CONFUSABLES } from '../../reveal/confusables.js'

/**
 * Default-ignorable characters of Unicode (zero-width, bidirectional controls, soft hyphen, variation selectors) and
 * combining marks.
 */
const INVISIBLE = /[\p{Default_Ignorable_Code_Point}\p{Mn}]/gu
/** Tag characters are an invisible copy of ASCII. Models read them, so they are decoded and not dropped. */
const TAGS = /[\u{E0020}-\u{E007E}]/gu
const TAG_OFFSET = 0xe0000
/** Arabic ligatures. No English hides in them, and one of them unfolds to eighteen characters. */
const LIGATURES = /[\uFDF0-\uFDFD]/g
const ASCII = /^[\0-\x7f]*$/
const OTHER = /[^\0-\x7f]/gu

const LEET: Readonly<Record<string, string>> = {
  '0': 'o',
  '1': 'i',
  '3': 'e',
  '4': 'a',
  '5': 's',
  '7': 't',
  '8': 'b',
  '@': 'a',
  $: 's',
  '!': 'i',
  '|': 'i',
}
const LEET_CHARACTER = /[0134578@$!|]/g
/**
 * A word with leetspeak signs inside it and not only at its end, so that `mp3` and `wow!` stay as they are. Every
 * repetition is bounded, so matching takes linear time.
 */
const LEET_WORD =
  /(?<![\w@$!|])(?=[\w@$!|]{0,24}[a-z])(?=[\w@$!|]{0,24}[0134578@$!|][\w@$!|]{0,24}[a-z])[\w@$!|]{2,24}(?![\w@$!|])/g
/** What a text with such a word holds. Most texts do not. */
const MAYBE_LEET = /[0134578@$!|][a-z]/
/** A spelled-out word: `b o m b`, `b.o.m.b`, `b-o-m-b`. */
const SPELLED = /(?<![a-z0-9])[a-z](?:[ .\-_*][a-z]){3,}(?![a-z0-9])/g

function unmask(text: string): string {
  return text
    .replace(TAGS, (tag) => String.fromCharCode((tag.codePointAt(0) ?? 0) - TAG_OFFSET))
    .replace(LIGATURES, ' ')
    .normalize('NFKD')
    .replace(INVISIBLE, '')
    .replace(OTHER, (character) => CONFUSABLES.get(character.codePointAt(0) ?? 0) ?? character)
}

/** Returns both readings of spelled letters: `a b o m b` may be one word, or an article and a word. */
function spell(letters: string): string {
  const word = letters.replace(/[^a-z]/g, '')
  return /^[ai]/.test(word) ? `${word} ${word.slice(1)}` : word
}

/**
 * The lower-case plain English of a text, as a reader would see it: NFKD, without invisible characters and accents,
 * look-alikes as ASCII, leetspeak and spelled-out words as words. Takes time linear in the length of the text.
 */
export function normalise(text: string): string {
  const lower = (ASCII.test(text) ? text : unmask(text)).toLowerCase()
  const plain = MAYBE_LEET.test(lower)
    ? lower.replace(LEET_WORD, (word) => word.replace(LEET_CHARACTER, (sign) => LEET[sign] ?? sign))
    : lower
  return plain.replace(SPELLED, spell)
}

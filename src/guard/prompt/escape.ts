// Makes chat text unable to act as part of the prompt: no special token, template marker or turn label survives, and
// no text stays hidden. Hidden letters are revealed before markers are broken, so that a marker spelled with
// invisible or look-alike letters cannot form afterwards.
import type { Turn } from '../../types.js'

const source = String.raw

/** The three flags of Unicode's recommended emoji set that are written with tag characters. */
const SUBDIVISION_FLAG = source`\u{1F3F4}\u{E0067}\u{E0062}(?:\u{E0065}\u{E006E}\u{E0067}|\u{E0073}\u{E0063}\u{E0074}|\u{E0077}\u{E006C}\u{E0073})\u{E007F}`

const TAGS = source`[\u{E0000}-\u{E007F}]`
/**
 * Letters in other forms: modifier, letterlike, Roman numeral, enclosed, ligature, fullwidth, mathematical. The long
 * s and the Kelvin sign are here because they equal s and k in case-insensitive matches.
 */
const COSTUMES = source`[\u017F\u02B0-\u02B8\u02E1-\u02E3\u1D2C-\u1D6A\u2071\u207F\u2090-\u209C\u2100-\u2138\u213A-\u214F\u2160-\u217F\u249C-\u24E9\u2C7C\u2C7D\uFB00-\uFB06\uFF10-\uFF19\uFF21-\uFF3A\uFF41-\uFF5A\u{1D400}-\u{1D7FF}\u{1F110}-\u{1F12B}\u{1F130}-\u{1F149}\u{1F150}-\u{1F169}\u{1F170}-\u{1F189}]`
const FOLD = source`${SUBDIVISION_FLAG}|\p{Cs}|${TAGS}|${COSTUMES}`

/**
 * Characters written as JSON escapes: tool arguments are JSON text, which the client decodes. An escape after a
 * backslash or inside another escape is left alone, so that no new escape can form. Quotes, backslashes and control
 * characters keep their escapes.
 */
const ESCAPED = source`\\u(?<!\\(?:u[0-9a-fA-F]{0,3})?\\u)(?!00[01]|005[cC]|0022)[0-9a-fA-F]{4}`

/** Joiners and variation selectors that are part of an emoji. Without them a family emoji falls apart. */
const EMOJI_GLUE = source`[\uFE0E\uFE0F](?<=\p{Extended_Pictographic}.)|\uFE0F(?<=[0-9#*].)(?=\u20E3)|\u200D(?<=(?:\p{Extended_Pictographic}\uFE0F?|[\u{1F3FB}-\u{1F3FF}]).)(?=\p{Extended_Pictographic})`
const CONTROLS = source`[\0-\x08\x0E-\x1F\x7F-\x84\x86-\x9F]`
/**
 * Invisible characters: zero-width and bidi characters, soft hyphens, fillers, selectors (all of Default_Ignorable),
 * control and annotation characters.
 */
const HIDDEN = source`(${SUBDIVISION_FLAG}|${EMOJI_GLUE})|\p{Default_Ignorable_Code_Point}|[\uFFF9-\uFFFB]|${CONTROLS}`

/**
 * The start of the chat markup of Llama 3 and 4. Fullwidth bars are included, because the tokens of some models are
 * spelled with them and a guard may read them in the same way.
 */
const TOKEN_OPEN = source`[<\uFF1C](?=[|\uFF5C])`
const TOKEN_CLOSE = source`[|\uFF5C](?=[>\uFF1E])`
/**
 * The tokens of Llama 2. Upper-case forms are not matched: the tokenizer distinguishes case, and `<S>` is ordinary
 * code.
 */
const SENTENCE_TOKEN = source`<(?=\/?(?:s|unk|pad)>)`
const BLOCK = source`[<\uFF1C[\uFF3B]([\s\/]*(?:(?:INST|SYS)(?=\s*[>\uFF1E\]\uFF3D])|(?:BEGIN|END)[\s_-]+(?:UNSAFE[\s_-]*CONTENT[\s_-]*CATEGORIES|CONVERSATION)))(\s*)([>\uFF1E\]\uFF3D]?)`

const BREAKS = source`\n\r\v\f\u0085\u2028\u2029`
/**
 * The start of a line: after a line break of any kind, after a line break that is written as a JSON escape, and at
 * the start of the text, where our own label stands before it.
 */
const LINE_START = source`(?:(?<![^${BREAKS}])|(?<=\\[nr]))`
/**
 * Characters that may stand around a label: blanks, U+2581 (the tokenizer of Llama 2 reads it as a blank) and
 * Markdown.
 */
const DECORATION = source`\t \u00A0\u1680\u2000-\u200A\u202F\u205F\u3000\u2581\u2800*_#>~`
const COLON = source`[${DECORATION}${BREAKS}]*[:\uFF1A\uFE55\uFE13\u2236\uA789]`
const LABEL = labelSource(['user', 'agent'])

const ESCAPED_ALL = new RegExp(ESCAPED, 'gu')
const FOLD_ALL = new RegExp(FOLD, 'gu')
const HIDDEN_ALL = new RegExp(HIDDEN, 'gu')
const TOKEN_EDGES = new RegExp(`${TOKEN_OPEN}|${TOKEN_CLOSE}|${SENTENCE_TOKEN}`, 'gu')
const BLOCKS = new RegExp(BLOCK, 'giu')
const LABELS = new RegExp(LABEL, 'giu')
// Two patterns, because in a case-insensitive pattern the long s would match every s.
const SUSPECT = new RegExp([ESCAPED, FOLD, HIDDEN, TOKEN_OPEN, TOKEN_CLOSE, SENTENCE_TOKEN].join('|'), 'u')
const SUSPECT_ANY_CASE = new RegExp([BLOCK, LABEL].join('|'), 'iu')
/** Printable ASCII without the characters that every escape, token, block or label contains. Most texts match it. */
const PLAIN = /^[\t\n\v\f\r -9;=-Z\]-{}~]*$/

/**
 * Returns the text as the guard may read it: readable, but unable to end its turn, open another turn, or hide words.
 * A text with nothing to escape is returned unchanged, and so is a text that was escaped before. With `vision`,
 * Markdown images are broken too, because the container would fetch their URLs.
 */
export function escapeText(text: string, { vision = false }: { vision?: boolean } = {}): string {
  if (isPlain(text)) return text
  const plain = SUSPECT.test(text) || SUSPECT_ANY_CASE.test(text) ? breakMarkers(reveal(text)) : text
  return vision ? plain.replaceAll('![', '! [') : plain
}

/**
 * The text of a turn, escaped. A turn is escaped once, although every check of a stream brings it again. The text is
 * compared, because a caller may change a turn and judge it again.
 */
export function escapedOf(turn: Turn, vision: boolean): string {
  const { text } = turn
  if (isPlain(text)) return text
  const remembered = vision ? ESCAPED_FOR_VISION : ESCAPED_TURNS
  const known = remembered.get(turn)
  if (known?.text === text) return known.escaped
  const escaped = escapeText(text, { vision })
  remembered.set(turn, { text, escaped })
  return escaped
}

interface Escaped {
  readonly text: string
  readonly escaped: string
}

const ESCAPED_TURNS = new WeakMap<Turn, Escaped>()
const ESCAPED_FOR_VISION = new WeakMap<Turn, Escaped>()

/** True for printable ASCII that holds nothing to escape. False does not mean that there is something to escape. */
export function isPlain(text: string): boolean {
  return PLAIN.test(text)
}

function reveal(text: string): string {
  const decoded = text.replace(ESCAPED_ALL, (escape) => String.fromCharCode(parseInt(escape.slice(2), 16)))
  return decoded.replace(FOLD_ALL, plainOf).replace(HIDDEN_ALL, '$1')
}

/** The letters of each disguised character, of which there are about 1,500. */
const PLAIN_LETTERS = new Map<string, string>()

function plainOf(character: string): string {
  let letters = PLAIN_LETTERS.get(character)
  if (letters === undefined) PLAIN_LETTERS.set(character, (letters = unmask(character)))
  return letters
}

function breakMarkers(text: string): string {
  return text
    .replace(TOKEN_EDGES, '$& ')
    .replace(BLOCKS, (_, words: string, blank: string, close: string) => `(${words}${blank}${close === '' ? '' : ')'}`)
    .replace(LABELS, "'$&'")
}

/**
 * A pattern for {@link breakLabels}: each label a word, or words between blanks, in lower case. A label in letters that
 * look alike is none to a model; `reveal` has such text judged as it looks, too.
 */
export function labelPattern(labels: readonly string[]): RegExp {
  return new RegExp(labelSource(labels), 'giu')
}

/** Turns the labels of another template into ordinary words. The text must have been through {@link escapeText}. */
export function breakLabels(text: string, pattern: RegExp): string {
  return text.replace(pattern, "'$&'")
}

function labelSource(labels: readonly string[]): string {
  const any = `(?:${labels.join('|').replaceAll(' ', source`[${DECORATION}${BREAKS}]*`)})`
  // The words stand first, because a pattern that begins with a look behind looks behind at every character.
  return source`${any}(?=${COLON})(?<=${LINE_START}[${DECORATION}]*${any})`
}

/** The letter or letters that one disguised character stands for. */
function unmask(character: string): string {
  const code = character.codePointAt(0) ?? 0
  if (code >= 0xd800 && code <= 0xdfff) return '\uFFFD'
  if (code === 0x1f3f4) return character
  if (code >= 0xe0000) {
    const hidden = String.fromCharCode(code - 0xe0000)
    return /[\t\n\r -~]/.test(hidden) ? hidden : ''
  }
  // Unicode gives white letters on black no compatibility mapping.
  if (code >= 0x1f150) return String.fromCharCode(0x41 + ((code - (code >= 0x1f170 ? 0x1f170 : 0x1f150)) % 26))
  const letters = character.normalize('NFKC')
  // Signs such as (TM), No. and degree Celsius are ordinary writing.
  return code >= 0x2100 && code < 0x2150 && !/^[A-Za-z]$/.test(letters) ? character : letters
}

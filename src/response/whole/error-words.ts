// Tells an app's own error message from prose that may be a model's. An error with only such words passes without a
// check. All other text in it is judged like a reply.
import { STATUS_CODES } from 'node:http'

/**
 * The fields in which a JSON error says what went wrong. Prose in any other field (`failed_generation`, `answer`) may
 * be the model's.
 */
const ERROR_FIELDS = new Set([
  'message',
  'error',
  'detail',
  'details',
  'msg',
  'title',
  'type',
  'code',
  'status',
  'reason',
  'hint',
  'help',
  'path',
  'param',
  'loc',
  'stack',
  'documentation_url',
  'name',
  'errors',
])
/**
 * Bytes of text in these fields, all together, that count as the app's own. It is room for a sentence or two in
 * English, and less in Chinese.
 */
const OWN_BYTES = 400
/** Names, ids, numbers, times and URLs: one ASCII word without blanks. */
const IDENTIFIER = /^[\w.:/+=@?&#%~,;()[\]*!$-]{0,64}$/
const URL_LIKE = /^https?:\/\/[\w.:/+=@?&#%~,;()!$-]{1,500}$/

const REASONS = new Set(
  [...Object.values(STATUS_CODES), 'Error', 'Unknown error', 'Too many requests, please try again later'].map(
    (reason) => String(reason).toLowerCase(),
  ),
)
/** `Cannot POST /chat` of Express. The path is the client's own. */
const NO_ROUTE = /^Cannot [A-Z]{3,10} [\x21-\x7e]{1,2000}$/
/** `Found. Redirecting to /x` of Express. */
const REDIRECT = /^[A-Z][A-Za-z ]{1,40}\. Redirecting to [\x21-\x7e]{1,2000}$/
/** A line of a stack trace: `at name (file:1:2)`. It has no room for a sentence. */
const STACK_LINE =
  /^at (?:(?:async |new )?\S{1,100}(?: \[as \S{1,60}\])? \((?:\S{1,300}:\d{1,7}:\d{1,7}|<anonymous>|index \d{1,4})\)|(?:async )?\S{1,300}:\d{1,7}:\d{1,7})$/
const ERROR_HEAD = /^(?:[A-Z][A-Za-z]{0,40})?Error(?:: |$)/

export interface KeyedText {
  readonly key: string
  readonly text: string
}

/**
 * The strings of a JSON error that are not the app's own words. When there is too much text in its fields, all
 * strings are returned.
 */
export function proseOfError(strings: readonly KeyedText[]): readonly string[] {
  const own = (key: string): boolean => ERROR_FIELDS.has(key)
  const bytes = strings.reduce(
    (sum, { key, text }) => sum + (own(key) && !isIdentifier(text) ? Buffer.byteLength(withoutStack(text)) : 0),
    0,
  )
  return strings
    .filter(({ key, text }) => !isIdentifier(text) && (!own(key) || bytes > OWN_BYTES))
    .map(({ text }) => text)
}

/**
 * True for a page or text in the fixed words of servers and frameworks: `Not Found`, `Cannot GET /x`, a stack trace.
 */
export function isErrorPage(text: string): boolean {
  const lines = visible(text)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
  const stack = lines.some((line) => STACK_LINE.test(line))
  return lines.every(
    (line) =>
      REASONS.has(
        line
          .replace(/^\d{3}[ :-]{0,3}/, '')
          .replace(/[.!]$/, '')
          .toLowerCase(),
      ) ||
      /^\d{3}$/.test(line) ||
      NO_ROUTE.test(line) ||
      REDIRECT.test(line) ||
      (stack && (STACK_LINE.test(line) || (ERROR_HEAD.test(line) && Buffer.byteLength(line) <= OWN_BYTES / 2))),
  )
}

function isIdentifier(text: string): boolean {
  return IDENTIFIER.test(text) || URL_LIKE.test(text)
}

function withoutStack(text: string): string {
  return text
    .split('\n')
    .filter((line) => !STACK_LINE.test(line.trim()))
    .join('\n')
}

/** Tags whose attributes are single words, so that they cannot carry a sentence. */
const TAG =
  /<(?:!DOCTYPE html|\/?[a-z][a-z0-9]{0,15}(?: [a-z-]{1,20}="[\x21\x23-\x3b\x3d\x3f-\x7e]{0,200}"){0,4} ?\/?)>/gi
const BREAKING = /<(?:br|\/?p|\/?pre|\/?h[1-6]|\/?title|\/?div|\/?li|\/?head|\/?body|hr)\b/i
const ENTITIES: Readonly<Record<string, string>> = {
  '&nbsp;': ' ',
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&#39;': "'",
  '&amp;': '&',
}

/** The text of a simple page. A tag of any other form stays in the text and counts as words. */
function visible(text: string): string {
  return text
    .replace(TAG, (tag) => (BREAKING.test(tag) ? '\n' : ''))
    .replace(/&(?:nbsp|lt|gt|quot|#39|amp);/g, (entity) => ENTITIES[entity]!)
}

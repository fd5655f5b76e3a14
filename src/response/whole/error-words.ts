// Tells an app's own error message from prose that may be a model's. An error with only such words passes without a
// check. All other text in it is judged like a reply.
import { STATUS_CODES } from 'node:http'
import type { Media } from '../../dialects/dialect.js'
import { isShort, TextWalker } from '../../dialects/kit/reply-fields.js'
import { isObject } from '../../utils/json.js'

/**
 * The fields in which a JSON error says what went wrong. Prose in any other field (`failed_generation`, `answer`) may
 * be the model's.
 */
const ERROR_FIELDS = new Set(
  (
    'message error errors detail details msg title type code status reason hint help path param loc stack name url ' +
    'documentation_url instance method trace'
  ).split(' '),
)
/**
 * The most bytes of text that all `ERROR_FIELDS` of one error may hold together. More text is judged like a reply. The
 * bytes are room for a few sentences in English, and for fewer in Chinese.
 */
const OWN_BYTES = 400
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

/**
 * The strings of a JSON error that are not the app's own words. When there is too much text in its fields, they are all
 * of its strings. Whatever stands in a field that is none of an error's may be the model's, at any length.
 */
export function proseOfError(value: unknown, media?: Media): readonly string[] {
  const own: string[] = []
  const others: string[] = []
  const walker = new TextWalker({}, { named: true, media })
  const visit = (inner: unknown): void => {
    if (typeof inner === 'string') {
      if (!isShort(inner) && !URL_LIKE.test(inner)) own.push(inner)
    } else if (Array.isArray(inner)) inner.forEach(visit)
    else if (isObject(inner))
      for (const [name, child] of Object.entries(inner))
        if (ERROR_FIELDS.has(name)) visit(child)
        // The name of a number is the app's own, such as `statusCode`.
        else if (typeof child !== 'string' && !isObject(child) && !Array.isArray(child) && isShort(name)) continue
        else walker.walk({ [name]: child }, (path, text) => void (isNameOf(name, path, child) || others.push(text)))
  }
  visit(value)
  const bytes = own.reduce((sum, text) => sum + Buffer.byteLength(withoutStack(text)), 0)
  return bytes > OWN_BYTES ? [...own, ...others] : others
}

/** True for the name of a string, which is judged without it. */
function isNameOf(name: string, path: string, child: unknown): boolean {
  return path === 'key' && typeof child === 'string' && isShort(name)
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

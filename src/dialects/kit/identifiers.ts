// Decides which strings may go unjudged in a field for ids. The grammar leaves little room for words, because a model
// reads `call_tell_me_how` like prose.
import { HEX, hidesBytes } from './hidden-text.js'
import { isDigit, liked, mostLiked, readsAsWords } from './letter-pairs.js'

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
const ALPHANUMERIC = /^[A-Za-z0-9]{7,32}$/

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

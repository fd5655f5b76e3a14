// The head of a reply: what it says of its body (media type, charset, codings, whether it is a stream), and the two
// headers that the guard adds: Llama-Guard (an RFC 9651 dictionary) and Server-Timing.
import type { ServerResponse } from 'node:http'
import type { Dialect, Framing, RpcCall } from '../dialects/dialect.js'
import { BUILT_IN } from '../dialects/index.js'
import type { Decision, Expose, Outcome } from '../types.js'
import type { Label } from '../wire/framer.js'
import type { ReplyContext } from './context.js'
import { asGuard } from './intercept/chain.js'

type VerdictContext = Pick<ReplyContext, 'res' | 'input' | 'strictest'> & {
  readonly settings: { readonly expose?: Expose | undefined }
}

/** The media type without its parameters, in lower case. */
export function mediaType(contentType: string): string {
  const end = contentType.indexOf(';')
  return (end === -1 ? contentType : contentType.slice(0, end)).trim().toLowerCase()
}

const CHARSET = /charset\s{0,8}=\s{0,8}"?([^";,\s]*)/i
const NONE: readonly string[] = []

/** True unless the content-type names another charset than UTF-8, which has ASCII in it. */
export function isUtf8(contentType: string): boolean {
  return /^(?:utf-?8|us-ascii|)$/i.test(CHARSET.exec(contentType)?.[1] ?? '')
}

export function isSuccess(status: number): boolean {
  return status >= 200 && status < 300
}

const EVENT_STREAM = 'text/event-stream'
/** The media types under which JSON lines are sent, behind record separators (RFC 7464) too. */
const JSON_LINES =
  /^(?:application|text)\/(?:x-)?(?:ndjson|ldjson|jsonl|jsonlines|json-lines|json-seq|json-stream|stream\+json)$/

/** True for a reply that comes event by event. */
export function isStream(type: string): boolean {
  return type === EVENT_STREAM || JSON_LINES.test(type)
}

export function isJson(type: string): boolean {
  return /^(application|text)\/([\w.-]+\+)?json$/.test(type)
}

const MEDIA = /^(?:image\/(?!svg)|(?:audio|video|font)\/|multipart\/x-mixed-replace$)/
const ARCHIVE = /^application\/(?:pdf|wasm|(?:[\w.-]+\+)?g?zip|vnd\.openxmlformats.+|x-(?:7z|rar|tar|bzip|g?zip).*)$/

/** True for media, documents and archives, in which there are no words to read. */
export function isMedia(type: string): boolean {
  return MEDIA.test(type) || ARCHIVE.test(type)
}

export function isReadable(type: string): boolean {
  return (
    type === '' ||
    type.startsWith('text/') ||
    isJson(type) ||
    isStream(type) ||
    /^(?:application|image)\/(?:xml|javascript|x-javascript|yaml|[\w.-]+\+xml)$/.test(type)
  )
}

/** Codings that leave the bytes as they are. */
const PLAIN = new Set(['', 'identity', 'none'])

/** The content codings in the order in which they were applied. */
export function codingsOf(res: Pick<ServerResponse, 'getHeader'>): readonly string[] {
  const value = res.getHeader('content-encoding')
  if (value === undefined) return NONE
  const codings = String(value).toLowerCase().split(',')
  return codings.map((coding) => coding.trim()).filter((coding) => !PLAIN.has(coding))
}

const MARKS = BUILT_IN.flatMap(({ marks = {} }) => Object.entries(marks))

/** The framing of a stream with these headers, when its content-type does not tell. */
export function framingOf(
  asked: Dialect,
  hasHeader: (name: string) => boolean,
  calls: readonly RpcCall[] = [],
): Framing | undefined {
  // Its answer has no end, under whatever label.
  if (calls.some(({ method }) => method === 'subscriptions/listen')) return 'json-lines'
  return MARKS.find(([name]) => hasHeader(name))?.[1] ?? asked.framing
}

/** Undefined for a reply that must be held as a whole. `framing`: how the API streams. */
export function labelOf(type: string, framing?: Framing): Label | undefined {
  if (type === 'text/event-stream') return 'events'
  if (isStream(type)) return 'lines'
  if (framing === 'json-lines' && isJson(type)) return 'lines'
  if (framing === 'json-array' && isJson(type)) return 'array'
  return type === '' || (type.startsWith('text/') && !isJson(type)) ? 'text' : undefined
}

/** The headers that report the decision of each stage. A stage without a decision is left out. */
export function verdictHeaders(decisions: readonly (Decision | undefined)[], expose?: Expose): Record<string, string> {
  const verdicts = verdictsOf(decisions, expose)
  const timings = timingsOf(decisions, expose)
  return { ...(verdicts !== '' && { 'llama-guard': verdicts }), ...(timings !== '' && { 'server-timing': timings }) }
}

/**
 * Adds the headers to an allowed reply. The handler's own Server-Timing stays. Where several mounts guard the request,
 * each stage is reported by the strictest of them.
 */
export function setVerdictHeaders(context: VerdictContext, decision: Decision): void {
  const { res, input, settings } = context
  const { expose } = settings
  const strictest = context.strictest(decision)
  const decisions = decision.stage === 'input' ? [strictest] : [input, strictest]
  const verdicts = verdictsOf(decisions, expose)
  const timings = timingsOf(decisions, expose)
  if (verdicts === '') return
  // The handler has committed its head, so only the guard can still change it.
  asGuard(res, () => {
    res.setHeader('Llama-Guard', verdicts)
    if (timings !== '') res.appendHeader('Server-Timing', timings)
  })
}

function verdictsOf(decisions: readonly (Decision | undefined)[], expose?: Expose): string {
  if (expose === 'none') return ''
  let list = ''
  for (const decision of decisions)
    if (decision !== undefined)
      list += `${list === '' ? '' : ', '}${decision.stage}=${member(decision.outcome, decision, expose)}`
  return list
}

function timingsOf(decisions: readonly (Decision | undefined)[], expose?: Expose): string {
  if (expose !== 'full') return ''
  let list = ''
  for (const decision of decisions)
    if (decision !== undefined && decision.outcome.state !== 'skipped')
      list += `${list === '' ? '' : ', '}guard-${decision.stage};dur=${decision.ms.toFixed(1)}`
  return list
}

function member({ state, code, why, score, cached, by }: Outcome, { categories }: Decision, expose?: Expose): string {
  let text: string = state
  if (state === 'unsafe' && categories.length > 0)
    text += `;cat=${quoted(categories.map(({ code: id }) => id).join(','))}`
  if (code !== undefined) text += `;code=${quoted(code)}`
  if (why !== undefined) text += `;why=${quoted(why)}`
  if (expose !== 'full') return text
  // RFC 9651 decimals carry at most three digits after the point.
  if (score !== undefined) text += `;score=${Number(score.toFixed(3))}`
  if (cached) text += ';cached'
  if (by !== undefined) text += `;by=${quoted(by)}`
  return text
}

/** An RFC 9651 string: printable ASCII only, quotes and backslashes escaped. */
function quoted(value: string): string {
  return `"${value.replace(/[^\x20-\x7e]/g, '?').replace(/["\\]/g, '\\$&')}"`
}

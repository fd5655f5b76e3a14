// POST /v1/moderations in OpenAI's shape, answered by the guard, for callers that want a verdict and not a chat.
// `client.moderations.create()` of OpenAI's SDKs works against it. The categories are Llama Guard's own. An input that
// is not fully understood is a 400, because a skipped input would be reported as safe.
import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import {
  type LlamaGuardError,
  publicError,
  toLlamaGuardError,
  unreadableRequest,
  unsupportedContent,
} from '../types/errors.js'
import { parseOptions } from '../options/config.js'
import type { LlamaGuardOptions } from '../options/index.js'
import { decide } from '../policy.js'
import { jsonOf, readBody } from '../request/body/index.js'
import type { ReadBody } from '../request/body/parse.js'
import { createServices, type Services } from '../services/index.js'
import type { Category, Decision, GuardedRequest, Image, Judgement, Middleware, Turn } from '../types.js'
import { isObject } from '../utils/json.js'
import { closeWithConnection } from '../utils/pipelined.js'

/** What it needs of a guard. */
type Moderating = Pick<Services, 'config' | 'judge' | 'model' | 'vision' | 'categories'>

/** Inputs judged at a time, so that a long list does not delay other requests. */
const AT_ONCE = 8

/** One result of OpenAI's moderation response. */
interface ModerationResult {
  readonly flagged: boolean
  /** Whether each category, by name, is violated. */
  readonly categories: Readonly<Record<string, boolean>>
  /**
   * A score for each category by name, 0 to 1. It is the category's own probability when the guard gives one.
   * Otherwise it is the probability of unsafe (1 without token log probabilities) for violated categories, and 0 for
   * the others.
   */
  readonly category_scores: Readonly<Record<string, number>>
  readonly category_applied_input_types: Readonly<Record<string, readonly string[]>>
}

/**
 * Makes the handler on an existing guard. It answers POST. Any other method goes to `next()`. A string is one input. A
 * list of strings gives one result for each. A list of parts (`text`, `image_url`) is one input. When one input could
 * not be judged, the whole answer is a 503 in OpenAI's error envelope, because a client would read a missing result as
 * safe.
 */
export function moderationsOf(guard: Moderating): Middleware {
  return function moderationsHandler(req: IncomingMessage, res: ServerResponse, next): void {
    if (req.method !== 'POST') {
      next()
      return
    }
    if (res.socket === null) closeWithConnection(req, res)
    const leave = new AbortController()
    // A client may have left while a middleware before us worked. There is no second 'close'.
    if (res.closed) leave.abort()
    else res.once('close', () => leave.abort())
    moderate(guard, req, leave.signal).then(
      (answer) => send(res, 200, answer),
      (error: unknown) => refuse(req, res, toLlamaGuardError(error)),
    )
  }
}

async function moderate(guard: Moderating, req: GuardedRequest, signal: AbortSignal): Promise<object> {
  const { config, judge, model, vision, categories } = guard
  // The answer is nothing but a verdict, so `mode: 'shadow'` and `onError: 'open'` do not apply.
  const settings = { ...config, mode: 'enforce', onError: 'closed' } as const
  const body = await readBody(req, { limit: config.maxBodyBytes })
  const inputs = inputsOf(body, vision)
  const results: ModerationResult[] = []
  for (let at = 0; at < inputs.length; at += AT_ONCE) {
    const some = inputs.slice(at, at + AT_ONCE).map(async (input) => {
      const judgement = await judge.judge([input.turn], { stage: 'input', signal, request: req })
      return toResult(judgement, decide('input', [judgement], settings, categories), input, categories)
    })
    results.push(...(await Promise.all(some)))
  }
  return { id: `modr-${randomUUID()}`, model, results }
}

function toResult(
  judgement: Judgement,
  decision: Decision,
  input: ModerationInput,
  known: readonly Category[],
): ModerationResult {
  if ('error' in judgement) throw judgement.error
  if (decision.error) throw decision.error
  const { score, categoryScores = {} } = judgement.verdict
  const violated = new Set(decision.categories.map(({ code }) => code))
  // Two categories of a custom policy may share a name, and the model may name one that the policy does not know.
  // These keep their ids as keys.
  const names = new Map([...violated].map((id) => [id, id]))
  for (const { id, name } of known) names.set(id, known.filter((other) => other.name === name).length > 1 ? id : name)
  const each = <T>(value: (id: string) => T): Record<string, T> =>
    Object.fromEntries([...names].map(([id, name]) => [name, value(id)]))
  return {
    flagged: decision.outcome.state !== 'safe',
    categories: each((id) => violated.has(id)),
    category_scores: each((id) => categoryScores[id] ?? (violated.has(id) ? (score ?? 1) : 0)),
    category_applied_input_types: each(() => input.types),
  }
}

function refuse(req: IncomingMessage, res: ServerResponse, whole: LlamaGuardError): void {
  const error = publicError(whole)
  // The unread rest of a refused body would be read as the next request on this connection.
  req.resume()
  const type = error.clientFault ? 'invalid_request_error' : 'guard_unavailable'
  const headers: Record<string, string> =
    error.retryAfter === undefined ? {} : { 'retry-after': String(error.retryAfter) }
  send(
    res,
    error.status,
    { error: { message: error.message, type, param: error.clientFault ? 'input' : null, code: error.code } },
    headers,
  )
}

function send(res: ServerResponse, status: number, body: object, headers: Record<string, string> = {}): void {
  if (res.destroyed || res.headersSent) return
  const bytes = Buffer.from(JSON.stringify(body))
  res.writeHead(status, {
    'content-type': 'application/json',
    'content-length': bytes.length,
    'cache-control': 'no-store',
    ...headers,
  })
  res.end(bytes)
}

/** A handler for `POST /v1/moderations` with a guard of its own. */
export interface Moderations extends Middleware {
  /** Fails the judgements in flight, and closes sockets and stores. */
  close(): Promise<void>
}

/**
 * A handler for `POST /v1/moderations` in OpenAI's shape, answered by Llama Guard. It takes the options of {@link
 * llamaGuard}. Beside a guarded chat use `guard.moderations()` instead, which shares the guard's cache and sockets.
 * @throws LlamaGuardError at once for a wrong option or variable.
 * @example app.post('/v1/moderations', moderations())
 */
export function moderations(options: LlamaGuardOptions = {}): Moderations {
  const services = createServices(parseOptions(options))
  return Object.assign(moderationsOf(services), { close: () => services.close() })
}

interface ModerationInput {
  readonly turn: Turn
  /** The kinds of parts in the input, in OpenAI's words. */
  readonly types: readonly ('text' | 'image')[]
}

/** The most inputs of one request, so that a request cannot cause thousands of guard calls. */
const MAX_INPUTS = 64
const HOW =
  'Send {"input": "text"}, a list of texts, or a list of parts {"type": "text", "text": "..."} and ' +
  '{"type": "image_url", "image_url": {"url": "..."}}.'

/** @throws LlamaGuardError with a 4xx code for a body that cannot be read. */
function inputsOf(body: ReadBody, vision: boolean): readonly ModerationInput[] {
  const value = jsonOf(body)
  if (value === undefined) throw unreadable('no JSON body')
  const input: unknown = isObject(value) ? value['input'] : undefined
  const list: unknown[] = Array.isArray(input) ? input : [input]
  if (list.length === 0) throw unreadable('an empty list')
  if (list.length > MAX_INPUTS) throw unreadable(`${list.length} inputs, more than ${MAX_INPUTS}`)
  if (list.every((item) => typeof item === 'string')) return list.map((text) => toInput(text, []))
  const parts = list.map(readPart)
  const images = parts.flatMap((part) => (typeof part === 'string' ? [] : part))
  if (images.length > 0 && !vision)
    throw unsupportedContent(
      'The input holds an image, and the guard model reads text alone. Send text, or run a Llama Guard ' +
        'that reads images.',
    )
  return [toInput(parts.filter((part) => typeof part === 'string').join('\n'), images)]
}

function readPart(part: unknown): string | Image {
  if (isObject(part) && part['type'] === 'text' && typeof part['text'] === 'string') return part['text']
  const image = isObject(part) && part['type'] === 'image_url' ? part['image_url'] : undefined
  if (isObject(image) && typeof image['url'] === 'string' && image['url'] !== '') return { url: image['url'] }
  throw unreadable('a part of an unknown shape')
}

function toInput(text: string, images: readonly Image[]): ModerationInput {
  // A guard that is shown an empty conversation calls it safe, which would say nothing about the input.
  if (text.trim() === '' && images.length === 0) throw unreadable('an input without text')
  const types = [...(text.trim() === '' ? [] : ['text' as const]), ...(images.length > 0 ? ['image' as const] : [])]
  return { turn: { role: 'User', text, ...(images.length > 0 && { images }) }, types }
}

function unreadable(what: string): LlamaGuardError {
  return unreadableRequest(`The moderation request holds ${what}. ${HOW}`)
}

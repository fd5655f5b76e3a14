// How a user describes a dialect of their own, and the check of that description.
import { LlamaGuardError } from '../errors.js'
import type { Declined, Refusal } from './dialect.js'

export interface CustomTurn {
  /** The speaker. Tool results count as `user`. */
  readonly role: 'user' | 'assistant' | 'tool'
  readonly text: string
}

export interface CustomRequest {
  readonly turns?: readonly CustomTurn[]
  /** Text that instructs the model and is not part of the conversation. Default: none. */
  readonly system?: string
  /** True when the client asked for a stream. Default: the body's own field `stream`. */
  readonly stream?: boolean
}

/**
 * Describes an API of your own. When one of these functions throws, the request is 400 or the reply 503; it is never
 * taken for safe.
 */
export interface CustomDialectOptions {
  /** The name in logs and metrics: letters, digits, `-` and `_`. */
  readonly name: string
  /** The path endings of this API, each with a leading slash. Default: none. */
  readonly paths?: readonly string[]
  /** True when a body on any path is a request of this API. Default: never. */
  readonly claims?: (body: Readonly<Record<string, unknown>>) => boolean
  readonly request: (body: Readonly<Record<string, unknown>>) => CustomRequest
  /**
   * The words of a JSON reply, one text a choice. Undefined for a reply of another shape, which is then judged as
   * plain text.
   */
  readonly reply?: (body: unknown) => string | readonly string[] | undefined
  /**
   * The new words in one event of a stream. It gets the parsed JSON of the event, or its text. Undefined when the
   * event has none.
   */
  readonly delta?: (data: unknown) => string | undefined
  /** Makes the JSON body of a 4xx, 451 or 503. Default: OpenAI's error object. */
  readonly refusal?: (refusal: Refusal) => unknown
  /**
   * Makes the JSON reply, or the event of a stream, that declines with these words, for `onBlock: 'refusal'`.
   * Default: none, and a block is answered as an error.
   */
  readonly decline?: (declined: Declined) => unknown
  /** The framing of its streams. Default: `sse`. */
  readonly framing?: 'sse' | 'ndjson'
}

/** @throws LlamaGuardError `invalid_option` for a description that cannot work. */
export function checkedDescription(options: CustomDialectOptions): CustomDialectOptions {
  const wrong = (what: string): LlamaGuardError => new LlamaGuardError('invalid_option', `customDialect: ${what}.`)
  if (typeof options !== 'object' || options === null) throw wrong('an object that describes the dialect is wanted')
  const { name, paths = [], request, framing = 'sse' } = options
  if (typeof name !== 'string' || !/^[\w-]{1,64}$/.test(name))
    throw wrong('`name` must be 1 to 64 letters, digits, - or _')
  if (!Array.isArray(paths) || !paths.every((path) => typeof path === 'string' && /^\/\S/.test(path)))
    throw wrong('`paths` must be a list of paths with a leading slash')
  if (typeof request !== 'function') throw wrong('`request` must be a function that returns the turns of a body')
  for (const key of ['claims', 'reply', 'delta', 'refusal', 'decline'] as const) {
    if (options[key] !== undefined && typeof options[key] !== 'function') throw wrong(`\`${key}\` must be a function`)
  }
  if (framing !== 'sse' && framing !== 'ndjson') throw wrong('`framing` must be "sse" or "ndjson"')
  return options
}

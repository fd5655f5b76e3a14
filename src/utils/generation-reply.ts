// Reads the shapes in which TGI, LMI and vLLM wrap generated text, whole or token by token. The guard and the chat
// upstream both use it. Each of them decides what an unknown shape or a failure means.
import { isObject } from './json.js'

type Fields = Readonly<Record<string, unknown>>

/** One answer or one event of a stream. A field holds what the server sent; its type says what has been checked. */
export interface GenerationReply {
  /** The server's error. Read it first, because a failed answer may carry a text as well. */
  readonly error?: unknown
  readonly code?: unknown
  /** TGI and LMI: `generated_text`. OpenAI: the text, or the message content, of the first choice. */
  readonly text: unknown
  /** OpenAI: the first choice. */
  readonly choice?: Fields
  /** OpenAI: the number of choices. Undefined for TGI and LMI. */
  readonly choices?: number
  /** TGI and LMI: counts, tokens and the finish reason. */
  readonly details?: Fields
  /** The server's own word for why generation ended. */
  readonly finishReason: unknown
  readonly usage?: Fields
  /** TGI and LMI: the one token of a stream's event. A special token (`</s>`) ends the text and is no part of it. */
  readonly token?: { readonly text: string; readonly special: boolean }
}

/** Undefined when the body is no JSON object. The caller takes the one answer out of TGI's array. */
export function readGenerationReply(body: unknown): GenerationReply | undefined {
  if (!isObject(body)) return undefined
  const { error, code, choices, token, generated_text: generated } = body
  const listed: readonly unknown[] | undefined = Array.isArray(choices) ? choices : undefined
  const choice = fieldsOf(listed?.[0])
  const details = fieldsOf(body['details'])
  const message = fieldsOf(choice?.['message'])
  return {
    ...(error !== undefined && error !== null && { error, code }),
    // Both shapes in one body would be two answers, so the text is undefined.
    text:
      listed && generated !== undefined
        ? undefined
        : message
          ? (message['content'] ?? '')
          : (choice?.['text'] ?? generated),
    ...(choice && { choice }),
    ...(listed && { choices: listed.length }),
    ...(details && { details }),
    finishReason: (choice ?? details)?.['finish_reason'],
    ...(isObject(body['usage']) && { usage: body['usage'] }),
    ...(isObject(token) &&
      typeof token['text'] === 'string' && { token: { text: token['text'], special: isSpecial(token) } }),
  }
}

/** True for the token that ends a sequence. LMI marks it with `special_token`. */
export const isSpecial = (token: Fields): boolean => token['special'] === true || token['special_token'] === true

/** The value if it is a count, else undefined. */
export const countOf = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined

const fieldsOf = (value: unknown): Fields | undefined => (isObject(value) ? value : undefined)

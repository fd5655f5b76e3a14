// What a call of the Model Context Protocol gets for an answer when the server's own may not leave: an error, or a
// result in which the tool, prompt or resource declines.
import type { LlamaGuardError } from '../errors.js'
import type { Decision } from '../types.js'
import type { Refusal, RpcCall } from './dialect.js'
import { blockMessage, blockNote, refusalDetails, streamFailure } from './kit/refusals.js'
import { shortText } from './kit/stream-events.js'

/** Of a list of calls, each gets an answer of its own. Servers of the SDK take no longer list. */
export const MOST_CALLS = 128

/** An id that our own answer may repeat: a number or an identifier. */
export function rpcId(id: unknown): string | number | undefined {
  return typeof id === 'number' ? id : shortText(id)
}

/** The code of an error is the status it has, or would have, over HTTP. It is outside of the codes of JSON-RPC. */
export function rpcError(id: RpcCall['id'] | undefined | null, code: number, message: string, data: object): object {
  return { jsonrpc: '2.0', ...(id !== undefined && { id }), error: { code, message, data } }
}

/** With words, a result that declines, if the method has one; else an error. */
export function answerOf({ id, method }: RpcCall, decision: Decision, words: string | undefined): object {
  const result = words === undefined ? undefined : resultOf(method, words)
  return result === undefined
    ? blockedError(id, decision)
    : { jsonrpc: '2.0', id, result: { ...result, _meta: { llama_guard: blockNote(decision) } } }
}

export function blockedError(id: RpcCall['id'] | undefined, decision: Decision): object {
  const data = { type: 'content_policy_violation', code: 'content_filter', ...blockNote(decision) }
  return rpcError(id, 451, blockMessage(decision), data)
}

export function failedError(id: RpcCall['id'] | undefined, error: LlamaGuardError): object {
  const { message: _, ...data } = streamFailure(error)
  return rpcError(id, error.status, error.message, data)
}

export function rpcRefusal(refusal: Refusal): object {
  const { status, message, type, code, calls = [] } = refusal
  return rpcError(calls.length === 1 ? calls[0]!.id : null, status, message, { type, code, ...refusalDetails(refusal) })
}

function resultOf(method: string, text: string): object | undefined {
  switch (method) {
    case 'tools/call':
      return { content: [{ type: 'text', text }], isError: true }
    case 'prompts/get':
      return { messages: [{ role: 'assistant', content: { type: 'text', text } }] }
    case 'resources/read':
      return { contents: [{ uri: 'llama-guard:refusal', mimeType: 'text/plain', text }] }
    default:
      return undefined
  }
}

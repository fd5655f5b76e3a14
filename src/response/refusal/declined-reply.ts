// A refusal with `onBlock: 'refusal'`: words of the model in the client's own API, whole or as a stream.
import type { Decision, GuardedRequest } from '../../types.js'
import type { RefusalContext } from './context.js'
import { DEFAULT_REFUSAL, refusalText } from './text.js'

/** The words that take the place of the rest of a stream, with `onBlock: 'refusal'`. */
export function lastWords(decision: Decision, context: RefusalContext): string | undefined {
  if (decision.action !== 'block' || context.settings.onBlock !== 'refusal') return undefined
  return refusalText(decision, context) ?? DEFAULT_REFUSAL
}

/** A reply in the client's own API and framing that declines; undefined when the refusal is an error. */
export function declinedReply(
  decision: Decision,
  context: RefusalContext,
): { readonly type: string; readonly body: string; readonly headers?: Readonly<Record<string, string>> } | undefined {
  const words = lastWords(decision, context)
  const { dialect, asked } = context
  if (words === undefined || asked === undefined || dialect.decline === undefined) return undefined
  try {
    const declined = { words, model: asked.model, decision, calls: asked.calls }
    if (asked.stream && dialect.framing === 'json-array' && !asksForEvents(context.req))
      return { type: 'application/json', body: JSON.stringify([dialect.decline({ ...declined, stream: true })]) }
    if (asked.stream && dialect.stream !== undefined) {
      const type = dialect.framing === 'ndjson' ? 'application/x-ndjson' : 'text/event-stream'
      return { type, body: dialect.stream(asked.calls).block(decision, words), headers: dialect.headers ?? {} }
    }
    const body = JSON.stringify(dialect.decline({ ...declined, stream: false })) as string | undefined
    return body === undefined ? undefined : { type: 'application/json', body }
  } catch {
    // A custom dialect may throw. The error body says the same.
    return undefined
  }
}

/** Google's APIs stream an array unless the query asks for server-sent events. */
function asksForEvents(req: GuardedRequest | undefined): boolean {
  return /[?&](?:\$|%24)?alt=sse(?:&|$)/i.test(req?.originalUrl ?? req?.url ?? '')
}

// Ends a stream that has begun: the dialect's own last events, framed like the events that were sent.
import type { StreamReader } from '../../dialects/dialect.js'
import type { Decision } from '../../types.js'
import { lastWords, publicError, type RefusalContext } from '../refusal/index.js'
import type { FrameKind } from './framing.js'

/** The last bytes; undefined when a custom dialect gives none. */
export function endingOf(
  reader: StreamReader,
  decision: Decision,
  context: RefusalContext,
  sent: FrameKind | undefined,
): string | undefined {
  try {
    const events =
      decision.action === 'block'
        ? reader.block(decision, lastWords(decision, context))
        : reader.fail(publicError(decision.error))
    return sent === 'json' ? asLines(events) : events
  } catch {
    return undefined
  }
}

/** The data of events as JSON lines, for a client that was sent JSON lines. Lines stay unchanged. */
function asLines(events: string): string {
  if (!/^(?:data|event):/.test(events)) return events
  return events
    .split('\n')
    .flatMap((line) => (line.startsWith('data: {') ? `${line.slice(6)}\n` : []))
    .join('')
}

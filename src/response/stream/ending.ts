// Ends a stream that has begun: the dialect's own last events, framed like the events that were sent.
import type { StreamReader } from '../../dialects/dialect.js'
import type { Decision } from '../../types.js'
import { exposed, lastWords, publicError, type RefusalContext } from '../refusal/index.js'
import type { FrameKind } from '../../wire/frame.js'

/** The last bytes; undefined when there are none, for a custom dialect or for bare text. */
export function endingOf(
  reader: StreamReader,
  decision: Decision,
  context: RefusalContext,
  sent: FrameKind | undefined,
): string | undefined {
  // Bare text has no form for an end that is not the model's, but the words of a refusal.
  if (sent === 'text') {
    const words = decision.action === 'block' ? lastWords(decision, context) : undefined
    return words === undefined ? undefined : `\n\n${words}`
  }
  try {
    const events =
      decision.action === 'block'
        ? reader.block(exposed(decision, context.settings.expose), lastWords(decision, context))
        : reader.fail(publicError(decision.error))
    return sent === 'lines' || sent === 'sequence' ? asLines(events, sent === 'sequence' ? '\u001e' : '') : events
  } catch {
    return undefined
  }
}

/** The data of events as JSON lines, for a client that was sent JSON lines. Lines get what stands before each. */
function asLines(events: string, before: string): string {
  const lines = /^(?:data|event):/.test(events)
    ? events.split('\n').flatMap((line) => (line.startsWith('data: {') ? [line.slice(6)] : []))
    : events.split('\n').filter((line) => line !== '' || before === '')
  return /^(?:data|event):/.test(events) || before !== '' ? lines.map((line) => `${before}${line}\n`).join('') : events
}

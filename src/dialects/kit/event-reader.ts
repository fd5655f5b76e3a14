// The engine of streams: it reads the events of an API by what the API says of them, and remembers what has left.
import type { LlamaGuardError } from '../../errors.js'
import type { Decision } from '../../types.js'
import type { StreamDelta, StreamEvent, StreamReader } from '../dialect.js'
import type { ReplyFields } from './reply-fields.js'
import { EventText, SentEvents } from './stream-events.js'
import type { WalkerOptions } from './text-walker.js'

/** What an API says of its streams. Each stream needs its own, because it has state. */
export interface StreamFacts<Fact> {
  readonly fields: ReplyFields
  readonly options?: WalkerOptions | undefined
  /** Adds the text of an event. Default: every text of it by its path, and one that comes again twice. */
  read?(events: EventText, data: Record<string, unknown> | unknown[], deltas: StreamDelta[], event: StreamEvent): void
  /** What the last events of a stream depend on. */
  factOf(data: unknown, event: StreamEvent): Fact
  /** Called with the facts of each event that leaves. */
  sent(fact: Fact): void
  /** True when the client takes the stream for ended, so that nothing can follow. */
  over(): boolean
  block(decision: Decision, words?: string): string
  fail(error: LlamaGuardError): string
}

export function eventReader<Fact>(facts: StreamFacts<Fact>): StreamReader {
  const events = new EventText(facts.fields, facts.options)
  const sent = new SentEvents<Fact>((data, event) => facts.factOf(data, event))
  return {
    read(event) {
      const deltas: StreamDelta[] = []
      const data = events.open(event, deltas)
      if (data !== undefined) {
        if (facts.read === undefined) events.readBeside(deltas, data)
        else facts.read(events, data, deltas, event)
      }
      sent.note(event, data)
      return deltas
    },
    sent: (event) => facts.sent(sent.take(event)),
    block: (decision, words) => (facts.over() ? '' : facts.block(decision, words)),
    fail: (error) => (facts.over() ? '' : facts.fail(error)),
  }
}

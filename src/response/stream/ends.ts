// The two ends of a stream: when its head may leave and which verdicts it names, and the dialect's own last events,
// framed like the events that were sent.
import type { ServerResponse } from 'node:http'
import type { StreamReader } from '../../dialects/dialect.js'
import { publicError } from '../../types/errors.js'
import type { Decision } from '../../types.js'
import type { FrameKind } from '../../wire/frame.js'
import type { ReplyContext } from '../context.js'
import { setVerdictHeaders } from '../head.js'
import { exposed, lastWords, type RefusalContext } from '../refusal.js'
import type { StreamJudge } from './stream-judge.js'

export class StreamHead {
  readonly #context: ReplyContext
  readonly #judge: StreamJudge
  #left = false

  constructor(context: ReplyContext, judge: StreamJudge) {
    this.#context = context
    this.#judge = judge
  }

  get left(): boolean {
    return this.#left
  }

  /**
   * True when the first bytes may leave. Words of the model must have been judged before, so that an early block is a
   * real 451. The exceptions are `async` mode, a reply without words, and an API whose events without words cannot
   * wait.
   */
  mayLeave(handlerEnded: boolean): boolean {
    const { settings, dialect } = this.#context
    return (
      this.#left ||
      settings.streaming === 'async' ||
      dialect.early === true ||
      this.#judge.hasAllowed ||
      (handlerEnded && !this.#judge.hasWords)
    )
  }

  /** Names the verdicts so far. The head leaves with the next bytes. */
  leave(handlerEnded: boolean): void {
    if (this.#left) return
    const { settings } = this.#context
    // The code for a head that leaves before the first verdict.
    const code =
      settings.streaming === 'async' ? 'streaming_async' : this.#isEarly(handlerEnded) ? 'pending' : undefined
    this.leaveWith(
      code === undefined
        ? this.#judge.decision()
        : { ...this.#context.decide('output', []), outcome: { state: 'unjudged', code } },
    )
  }

  /** Names this decision on the reply. */
  leaveWith(output: Decision): void {
    if (this.#left) return
    this.#left = true
    setVerdictHeaders(this.#context, output)
  }

  /** True when frames without words leave before there is a verdict. */
  #isEarly(handlerEnded: boolean): boolean {
    return this.#judge.judgements().length === 0 && !(handlerEnded && !this.#judge.waiting)
  }
}

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
    if (sent === 'sequence') return asLines(events, '\u001e')
    return sent === 'lines' ? asLines(events, '') : events
  } catch {
    return undefined
  }
}

/** The data of events as JSON lines, for a client that was sent JSON lines. Lines get what stands before each. */
function asLines(events: string, before: string): string {
  const framed = /^(?:data|event):/.test(events)
  const lines = events.split('\n').filter((line) => (framed ? line.startsWith('data: {') : line !== ''))
  return lines.map((line) => `${before}${framed ? line.slice(6) : line}\n`).join('')
}

/** compression() keeps small writes in zlib until flush() is called. */
export function flush(res: ServerResponse): void {
  ;(res as ServerResponse & { flush?: () => void }).flush?.()
}

// When the head of a stream may leave, and which verdicts it names.
import type { Decision } from '../../types.js'
import type { ReplyContext } from '../context.js'
import type { ResponseController } from '../hold.js'
import { setVerdictHeaders } from '../verdict-headers.js'
import type { StreamJudge } from './stream-judge.js'

export class StreamHead {
  readonly #controller: ResponseController
  readonly #context: ReplyContext
  readonly #judge: StreamJudge
  #left = false

  constructor(controller: ResponseController, context: ReplyContext, judge: StreamJudge) {
    this.#controller = controller
    this.#context = context
    this.#judge = judge
  }

  get left(): boolean {
    return this.#left
  }

  /**
   * True when the first bytes may leave. Words of the model must have been judged before, so that an early block is a
   * real 451. The exceptions are `async` mode, a reply without words, and an API whose events without
   * words cannot wait.
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
    setVerdictHeaders(this.#controller.res, [this.#context.input, output], this.#context.settings.expose)
  }

  /** True when frames without words leave before there is a verdict. */
  #isEarly(handlerEnded: boolean): boolean {
    return this.#judge.judgements().length === 0 && !(handlerEnded && !this.#judge.waiting)
  }
}

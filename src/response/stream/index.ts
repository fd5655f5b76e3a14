// Holds a token stream: words are released while the stream goes on, and no byte leaves before a safe verdict that
// has seen it.
import type { StreamEvent, StreamReader } from '../../dialects/dialect.js'
import { replyReader } from '../../dialects/index.js'
import { type FoundCall, ToolCalls } from '../../dialects/tool-calls.js'
import { LlamaGuardError, toLlamaGuardError } from '../../types/errors.js'
import type { Decision, Judgement } from '../../types.js'
import type { LazyAbortController } from '../../utils/deadline.js'
import type { FrameKind } from '../../wire/frame.js'
import type { Framer } from '../../wire/framer.js'
import type { Hold, ReplyContext, ResponseController } from '../context.js'
import { refusalOf } from '../refusal.js'
import { endingOf, flush, StreamHead } from './ends.js'
import { type Held, HeldFrames } from './held.js'
import { joined } from './held-bytes.js'
import { StreamJudge, type StreamJudgeOptions } from './stream-judge.js'

/** When more bytes are held, or more than half of maxReplyBytes, the handler is asked to wait. */
const HIGH_WATER_BYTES = 256 * 1024

/**
 * Holds a stream in `window` or `async` mode. Frames wait in order of arrival, and the frames at the front leave as
 * soon as all of their text has been judged safe. Nothing leaves before the first safe verdict, so that an early
 * block is a real 451. `bare`: the label says text, and nothing says that the events are the app's.
 */
export function eventStreamHold(
  controller: ResponseController,
  framer: Framer,
  context: ReplyContext,
  bare = false,
): Hold {
  return new EventStreamHold(controller, framer, context, bare)
}

/** An object literal with a getter would get a hidden class of its own, which keeps the whole stream in memory. */
class EventStreamHold implements Hold, StreamJudgeOptions {
  readonly settings: StreamJudgeOptions['settings']
  readonly pace: StreamJudgeOptions['pace']
  readonly #controller: ResponseController
  readonly #context: ReplyContext
  readonly #reader: StreamReader
  readonly #judge: StreamJudge
  readonly #calls: ToolCalls | undefined
  /** Questions to the hook `onToolCall` without an answer. */
  #asking = 0
  readonly #head: StreamHead
  readonly #framer: Framer
  /** What the handler has written in this turn of the event loop. */
  readonly #unread: Buffer[] = []
  readonly #held = new HeldFrames(
    ({ events }, held) => {
      for (const event of events) this.#readEvent(event, held)
    },
    ({ choice, position }) => this.#judge.hasAsked(choice, position),
  )
  readonly #mayLeave: (held: Held) => boolean
  readonly #sent = ({ leaves, kind }: Held): void => {
    leaves?.()
    this.#sentKind = kind ?? this.#sentKind
  }
  /** The kind of the last frame that left. */
  #sentKind: FrameKind | undefined
  /** Held bytes, with those of an unfinished frame and the unread ones. */
  #heldBytes = 0
  #handlerEnded = false
  #gateOpen: boolean
  #over = false
  /** Reads, and starts the checks that are due, at the end of this turn of the event loop: a packet makes one check. */
  #due: NodeJS.Immediate | undefined
  readonly #consider = (): void => {
    this.#due = undefined
    try {
      this.#frame()
      this.#judge.consider()
    } catch (error) {
      this.#fail(toLlamaGuardError(error))
    }
    this.#pump()
  }

  constructor(controller: ResponseController, framer: Framer, context: ReplyContext, bare: boolean) {
    this.#controller = controller
    this.#framer = framer
    this.#context = context
    this.#reader = replyReader(context.dialect, { calls: context.asked?.calls, bare, media: context.settings.images })
    this.#calls = context.askToolCall && new ToolCalls((call) => void this.#ask(call))
    const atOnce = context.settings.streaming === 'async'
    // Calls leave whole, and those that are open at once together.
    this.#mayLeave = (held) =>
      !(held.calls && (this.#asking > 0 || this.#calls?.isOpen)) && (atOnce || this.#isJudged(held))
    this.#gateOpen = context.gate === undefined
    this.settings = context.settings
    this.pace = context.pace
    this.#judge = new StreamJudge(this)
    this.#head = new StreamHead(context, this.#judge)
    context.gate?.then(
      (allowed) => {
        if (!allowed) return this.#drop()
        this.#gateOpen = true
        this.#pump()
      },
      (error: unknown) => this.#fail(toLlamaGuardError(error)),
    )
  }

  /**
   * True only while bytes are unread or a verdict is due. An unfinished frame needs the handler to go on, so it must
   * not make the handler wait.
   */
  get full(): boolean {
    return (
      this.#heldBytes > Math.min(HIGH_WATER_BYTES, this.#context.maxReplyBytes / 2) &&
      (this.#unread.length > 0 || this.#judge.waiting || this.#asking > 0 || !this.#gateOpen)
    )
  }

  write(chunk: Buffer): void {
    if (this.#over) return
    this.#makeRoom(chunk)
    // What came before it has let the reply through, or a refusal takes nothing more.
    if (this.#over) return void this.#controller.release(chunk)
    this.#keep(chunk)
    this.#due ??= setImmediate(this.#consider)
  }

  end(chunk: Buffer | undefined): void {
    if (this.#over) return
    if (chunk !== undefined) this.#makeRoom(chunk)
    if (this.#over) return this.#controller.finish(chunk)
    this.#handlerEnded = true
    if (chunk !== undefined) this.#keep(chunk)
    try {
      this.#frame()
      this.#held.add(this.#framer.finish())
      if (this.#framer.failure !== undefined) throw this.#framer.failure
      this.#calls?.end()
      this.#judge.end()
    } catch (error) {
      this.#fail(toLlamaGuardError(error))
    }
    this.#pump()
  }

  fail(decision: Decision): void {
    this.#stop(decision)
  }

  gone(): void {
    this.#drop()
    this.#context.abort()
  }

  /** Reads what came in this turn before a chunk that does not fit beside it, because some of it may leave at once. */
  #makeRoom(chunk: Buffer): void {
    if (this.#unread.length > 0 && this.#heldBytes + chunk.length > this.#context.maxReplyBytes) this.#consider()
  }

  #keep(chunk: Buffer): void {
    this.#unread.push(chunk)
    this.#heldBytes += chunk.length
    if (this.#heldBytes > this.#context.maxReplyBytes)
      this.#fail(
        new LlamaGuardError(
          'reply_too_large',
          'More of the stream is waiting for a verdict than maxReplyBytes. Raise it, or look why the guard ' +
            'is slower than the model.',
        ),
      )
  }

  judge(text: string, choice: number, calledOff: LazyAbortController, passing: boolean): Promise<Judgement> {
    return this.#context.judgeReply(text, choice, calledOff, passing)
  }

  decide(judgements: readonly Judgement[]): Decision {
    return this.#context.decide('output', judgements, this.#context.dialect.unjudgedReplies)
  }

  onAllowed(): void {
    this.#pump()
  }

  onRefused(decision: Decision): void {
    this.#stop(decision)
  }

  #frame(): void {
    if (this.#unread.length === 0) return
    const chunk = this.#unread.length === 1 ? this.#unread[0]! : joined(this.#unread)
    this.#unread.length = 0
    this.#held.add(this.#framer.push(chunk))
    if (this.#framer.failure !== undefined) throw this.#framer.failure
  }

  #readEvent(event: StreamEvent, held: Held): void {
    for (const delta of this.#reader.read(event)) {
      if (delta.text === '') continue
      const position = this.#judge.add(delta)
      const { choice } = delta
      // A later text of the same choice has a higher position, which covers the earlier one.
      if (held.position === 0 || held.choice === choice) {
        held.choice = choice
        held.position = position
      } else (held.others ??= new Map()).set(choice, position)
    }
    if (this.#calls?.read(event)) held.calls = true
    held.leaves = this.#reader.leaves
  }

  /** The hook is called later, because it may write to this reply, whose frames are being read. */
  async #ask(call: FoundCall): Promise<void> {
    this.#asking += 1
    const judgement = await Promise.resolve(call).then((found) => this.#context.askToolCall?.(found))
    this.#asking -= 1
    if (this.#over) return
    if (judgement !== undefined) this.#judge.note(judgement)
    this.#pump()
  }

  #isJudged({ choice, position, others }: Held): boolean {
    if (position > 0 && !this.#judge.covers(choice, position)) return false
    if (others !== undefined) for (const [other, end] of others) if (!this.#judge.covers(other, end)) return false
    return true
  }

  #fail(error: LlamaGuardError): void {
    const decision = this.#context.decideError('output', error)
    if (decision.action !== 'allow') return this.#stop(decision)
    if (this.#gateOpen) return this.#letThrough(decision)
    // Nothing may leave before the input verdict, and how much more would have to be kept is unknown. The reply is
    // refused even with `onError: 'open'`.
    this.#stop({ ...decision, action: 'unavailable' })
  }

  /** Releases the rest unjudged, because `onError: 'open'` says so. */
  #letThrough(decision: Decision): void {
    if (this.#over) return
    const controller = this.#controller
    this.#head.leaveWith(decision)
    const rest = [...this.#held.bytes(), this.#framer.rest(), ...this.#unread]
    this.#drop()
    for (const bytes of rest) if (bytes.length > 0) controller.release(bytes)
    flush(controller.res)
    if (this.#handlerEnded) controller.finish()
    else controller.open()
    this.#context.record(decision, this.#judge.judgements())
  }

  #pump(): void {
    if (this.#over || !this.#gateOpen) return
    try {
      if (this.#head.mayLeave(this.#handlerEnded)) this.#releaseJudged()
      if (!this.full) this.#controller.drained()
      if (this.#handlerEnded && this.#held.empty && !this.#over) this.#conclude()
    } catch (error) {
      this.#fail(toLlamaGuardError(error))
    }
  }

  #conclude(): void {
    this.#over = true
    this.#head.leave(this.#handlerEnded)
    this.#controller.finish()
    const [judge, context] = [this.#judge, this.#context]
    // In `async` mode the last check may still run. Its result is logged too.
    void judge.settled().then(() => context.record(judge.decision(), judge.judgements()))
  }

  #releaseJudged(): void {
    const bytes = this.#held.take(this.#mayLeave, this.#sent)
    if (bytes === undefined) return
    this.#head.leave(this.#handlerEnded)
    this.#controller.release(bytes)
    this.#heldBytes -= bytes.length
    flush(this.#controller.res)
  }

  #stop(decision: Decision): void {
    if (this.#over) return
    this.#drop()
    this.#context.record(decision, this.#judge.judgements())
    if (!this.#head.left) {
      const { status, headers, body } = refusalOf(decision, this.#context)
      this.#controller.refuse(status, headers, body)
    } else {
      const ending = endingOf(this.#reader, decision, this.#context, this.#sentKind)
      if (ending === undefined) this.#controller.destroy()
      else this.#controller.cut(ending)
    }
    this.#context.abort()
  }

  #drop(): void {
    this.#over = true
    clearImmediate(this.#due)
    this.#judge.stop()
    this.#unread.length = 0
    this.#held.clear()
  }
}

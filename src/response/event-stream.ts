// Token streams: words flow while they are judged, and no byte leaves before a safe verdict that saw it.
import { LlamaGuardError, toLlamaGuardError } from '../errors.js'
import type { Decision } from '../types.js'
import type { Frame, Framer } from './framing.js'
import { setVerdictHeaders } from './headers.js'
import type { Exit, Hold } from './hold.js'
import { flush } from './intercept.js'
import { publicError, refusalOf } from './refuse.js'
import type { ReplyContext } from './reply-context.js'
import { StreamJudge } from './stream-judge.js'

/** Held bytes past which the handler is asked to wait. Far above a token, far below maxReplyBytes. */
const HIGH_WATER_BYTES = 256 * 1024

/** A frame that waits. Mutable, and flat: there are as many of them as the model makes tokens. */
interface Held {
  readonly frame: Frame
  /** The choice with text in this frame, and the position in that choice's text that must be judged first. None: position 0. */
  choice: number
  position: number
  /** The same for further choices. */
  others: Map<number, number> | undefined
}

/**
 * Holds a stream in `window` or `async` mode. Frames wait in their order of arrival; the head leaves as soon as all its text has
 * been judged safe. Nothing at all leaves before the first safe verdict, so that an early block is a real 451.
 */
export function eventStreamHold(exit: Exit, framer: Framer, context: ReplyContext): Hold {
  const { res, settings } = context
  const reader = context.dialect.stream()
  const releaseAtOnce = settings.streaming === 'async'
  const queue: Held[] = []
  let head = 0
  let heldBytes = 0
  let released = false
  let handlerEnded = false
  let gateOpen = context.gate === undefined
  let over = false
  // What the header can honestly say when text leaves before its verdict.
  const unjudgedYet: Decision = { ...context.decide([]), outcome: { state: 'unjudged', code: 'streaming_async' } }

  const judge = new StreamJudge({
    settings,
    judge: (text) => context.judge(text),
    decide: (judgements) => context.decide(judgements),
    onAllowed: pump,
    onRefused: stop,
  })
  context.gate?.then((allowed) => {
    if (!allowed) return drop()
    gateOpen = true
    pump()
  }, (error: unknown) => fail(toLlamaGuardError(error)))

  function accept(frames: readonly Frame[]): void {
    // All of them first: should one be unreadable and pass all the same, the rest must follow it.
    const first = queue.length
    for (const frame of frames) queue.push({ frame, choice: 0, position: 0, others: undefined })
    for (let at = first; at < queue.length; at++) {
      const held = queue[at]!
      for (const { choice, channel, text } of reader.read(held.frame.event)) {
        if (text === '') continue
        const position = judge.add(choice, channel, text)
        // A later text of the same choice ends further on, and covers the earlier one.
        if (held.position === 0 || held.choice === choice) {
          held.choice = choice
          held.position = position
        } else (held.others ??= new Map()).set(choice, position)
      }
    }
  }

  function isJudged({ choice, position, others }: Held): boolean {
    if (position > 0 && !judge.covers(choice, position)) return false
    if (others !== undefined) for (const [other, end] of others) if (!judge.covers(other, end)) return false
    return true
  }

  function take(chunk: Buffer): void {
    heldBytes += chunk.length
    accept(framer.push(chunk))
    if (heldBytes > context.maxReplyBytes) throw new LlamaGuardError('reply_too_large', 'More of the stream is waiting for a verdict than maxReplyBytes. Raise it, or look why the guard is slower than the model.')
  }

  function fail(error: LlamaGuardError): void {
    const decision = context.decideError(error)
    if (decision.action !== 'allow') return stop(decision)
    if (gateOpen) return letThrough(decision)
    // Before the input verdict nothing may leave, and there is no telling how much more would have to be kept.
    stop({ ...decision, action: 'unavailable' })
  }

  /** The rest cannot be judged and passes as it comes, by the operator's own choice. */
  function letThrough(decision: Decision): void {
    if (over) return
    if (!released) setVerdictHeaders(res, [context.input(), decision])
    const rest = [...queue.slice(head).map(({ frame }) => frame), ...framer.finish()]
    drop()
    for (const { raw } of rest) exit.release(raw)
    flush(res)
    if (handlerEnded) exit.finish()
    else exit.open()
    context.settled(decision, judge.judgements())
  }

  function pump(): void {
    if (over || !gateOpen) return
    try {
      if (releaseAtOnce || judge.hasAllowed || (handlerEnded && judge.empty)) releaseJudged()
      if (!hold.full) exit.drained()
      if (handlerEnded && head === queue.length && !over) conclude()
    } catch (error) {
      fail(toLlamaGuardError(error))
    }
  }

  function conclude(): void {
    over = true
    openHeaders()
    exit.finish()
    // In `async` mode the last check may still be on its way; it is worth a log line even so.
    void judge.settled().then(() => context.settled(judge.decision(), judge.judgements()))
  }

  function releaseJudged(): void {
    const from = head
    while (head < queue.length && (releaseAtOnce || isJudged(queue[head]!))) head++
    if (from === head) return
    openHeaders()
    // In one write: each of them costs more than a copy.
    const bytes = joined(queue, from, head)
    exit.release(bytes)
    for (let at = from; at < head; at++) reader.sent(queue[at]!.frame.event)
    heldBytes -= bytes.length
    // Once half of them have left: each is moved once at most, and what has left is soon forgotten.
    if (head * 2 >= queue.length) {
      queue.splice(0, head)
      head = 0
    }
    flush(res)
  }

  function openHeaders(): void {
    if (released) return
    released = true
    setVerdictHeaders(res, [context.input(), releaseAtOnce ? unjudgedYet : judge.decision()])
  }

  function stop(decision: Decision): void {
    if (over) return
    drop()
    if (!released) {
      const { status, headers, body } = refusalOf(decision, context)
      exit.refuse(status, headers, body)
    } else {
      const lastWords = ending(decision)
      if (lastWords === undefined) exit.destroy()
      else exit.cut(lastWords)
    }
    context.abort()
    context.settled(decision, judge.judgements())
  }

  /** Undefined when the dialect, which may be the user's own, has none. */
  function ending(decision: Decision): string | undefined {
    try {
      return decision.action === 'block' ? reader.block(decision) : reader.fail(publicError(decision.error))
    } catch {
      return undefined
    }
  }

  function drop(): void {
    over = true
    judge.stop()
    queue.length = 0
    head = 0
  }

  const hold: Hold = {
    // Only while a verdict is due: what waits for the end of its own frame needs the handler to go on.
    get full() {
      return heldBytes > HIGH_WATER_BYTES && (judge.waiting || !gateOpen)
    },
    write(chunk) {
      if (over) return
      try {
        take(chunk)
        judge.consider()
      } catch (error) {
        fail(toLlamaGuardError(error))
      }
      pump()
    },
    end(chunk) {
      if (over) return
      handlerEnded = true
      try {
        if (chunk !== undefined) take(chunk)
        accept(framer.finish())
        judge.end()
      } catch (error) {
        fail(toLlamaGuardError(error))
      }
      pump()
    },
    fail: stop,
    gone() {
      drop()
      context.abort()
    },
  }
  return hold
}

/** The bytes of some frames in order. What came as one chunk is still one, and needs no copy. */
function joined(queue: readonly Held[], from: number, to: number): Buffer {
  const { bytes, start } = queue[from]!.frame
  let end = start
  let length = 0
  for (let at = from; at < to; at++) {
    const { frame } = queue[at]!
    length += frame.end - frame.start
    if (frame.bytes === bytes && frame.start === end) end = frame.end
  }
  if (length === end - start) return length === bytes.length ? bytes : bytes.subarray(start, end)
  const all = Buffer.allocUnsafe(length)
  let filled = 0
  for (let at = from; at < to; at++) {
    const { frame } = queue[at]!
    filled += frame.bytes.copy(all, filled, frame.start, frame.end)
  }
  return all
}

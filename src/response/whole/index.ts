// Holds a reply as a whole, within a bound. It keeps each write of the handler as a write of its own, so that the
// released reply is framed as the handler framed it.
import { generic } from '../../dialects/generic.js'
import type { FoundCall } from '../../dialects/tool-calls.js'
import type { Decision, Judgement, NotJudgedReason } from '../../types.js'
import { LlamaGuardError } from '../../types/errors.js'
import type { Hold, ReplyContext, ResponseController } from '../context.js'
import { codingsOf, isSuccess, setVerdictHeaders } from '../head.js'
import { refusalOf } from '../refusal.js'
import { callsIn, readReply } from './read-reply.js'

interface Kept {
  readonly chunks: readonly Buffer[]
  readonly last: Buffer | undefined
}

interface Judged {
  readonly judgements: readonly Judgement[]
  /** Why there are none. Default: the reply has no words. */
  readonly why?: NotJudgedReason | undefined
}

/** Judges every choice of the reply once the handler has ended, then releases or refuses it. */
export function wholeHold(controller: ResponseController, context: ReplyContext): Hold {
  // An error in its own words has nothing to judge.
  const why = isSuccess(controller.res.statusCode) ? context.dialect.unjudgedReplies : 'status'
  const judge = async ({ chunks, last }: Kept): Promise<Judged> => {
    const { res } = controller
    const { askToolCall } = context
    let calls: readonly FoundCall[] = []
    const choices = await readReply(
      {
        bytes:
          last !== undefined && chunks.length === 0
            ? last
            : Buffer.concat(last === undefined ? chunks : [...chunks, last]),
        status: res.statusCode,
        contentType: String(res.getHeader('content-type') ?? ''),
        codings: codingsOf(res),
        maxBytes: context.maxReplyBytes,
        media: context.settings.images,
        redirects: res.statusCode >= 300 && res.statusCode < 400 && res.hasHeader('location'),
        wordless: context.dialect === generic && context.asked?.turns?.length === 0,
      },
      context.dialect,
      askToolCall && ((text, type) => (calls = callsIn(text, type))),
    )
    if (choices === undefined) return { judgements: [], why: 'binary' }
    const asked = calls.map((call) => askToolCall?.(call))
    const judgements = await Promise.all([...choices.map(({ text }, at) => context.judgeReply(text, at)), ...asked])
    return { judgements: judgements.filter((each) => each !== undefined), why }
  }
  return keepWhole(controller, context, judge)
}

/** Holds a response that needs no judging until the input check, which runs at the same time, is done. */
export function gateHold(controller: ResponseController, context: ReplyContext, why: NotJudgedReason): Hold {
  return keepWhole(controller, context, () => Promise.resolve({ judgements: [], why }))
}

function keepWhole(
  controller: ResponseController,
  context: ReplyContext,
  judge: (kept: Kept) => Promise<Judged>,
): Hold {
  const chunks: Buffer[] = []
  let last: Buffer | undefined
  let length = 0
  let ended = false
  let over = false
  let gateOpen = context.gate === undefined

  context.gate?.then(
    (allowed) => {
      gateOpen = allowed
      if (!allowed) over = true
    },
    () => undefined,
  )

  /**
   * Runs `step` once the gate is open. Failures wait too: `onError: 'open'` says nothing about an input that is still
   * being judged.
   */
  function onceOpen(step: () => void): void | Promise<void> {
    return context.gate === undefined ? step() : context.gate.then(step)
  }

  function conclude(decision: Decision, judgements: readonly Judgement[]): void {
    if (over) return
    over = true
    if (decision.action === 'allow') {
      setVerdictHeaders(controller.res, [context.input, decision], context.settings.expose)
      for (const chunk of chunks) controller.release(chunk)
      // The reply exceeded the bound and is let through. What the handler still writes follows directly.
      if (ended) controller.finish(last)
      else controller.open()
    } else {
      const { status, headers, body } = refusalOf(decision, context)
      controller.refuse(status, headers, body)
      context.abort()
    }
    chunks.length = 0
    context.record(decision, judgements)
  }

  function overflow(): void {
    const error = new LlamaGuardError(
      'reply_too_large',
      'The reply is larger than maxReplyBytes. Raise it, or ask the model for less.',
    )
    // Nothing may leave before the input verdict, and nothing more may be kept. The reply is refused even with
    // `onError: 'open'`.
    conclude(
      gateOpen
        ? context.decideError('output', error)
        : { ...context.decideError('output', error), action: 'unavailable' },
      [],
    )
  }

  return {
    write(chunk) {
      chunks.push(chunk)
      length += chunk.length
      if (length > context.maxReplyBytes) overflow()
    },
    end(chunk) {
      ended = true
      last = chunk
      length += chunk?.length ?? 0
      if (length > context.maxReplyBytes) overflow()
      if (over) return
      judge({ chunks, last })
        .then(
          ({ judgements, why }) => onceOpen(() => conclude(context.decide('output', judgements, why), judgements)),
          (error: unknown) => onceOpen(() => conclude(context.decideError('output', error), [])),
        )
        .catch(() => controller.destroy())
    },
    fail(decision) {
      conclude(decision, [])
    },
    gone() {
      over = true
      chunks.length = 0
      context.abort()
    },
  }
}

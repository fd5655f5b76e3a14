// Replies that are kept whole, within a bound, in the very writes the handler made, so that what is released
// is framed as it was.
import { LlamaGuardError, toLlamaGuardError } from '../../errors.js'
import type { Decision, Judgement, NotJudgedReason } from '../../types.js'
import { setVerdictHeaders } from '../verdict-headers.js'
import type { ResponseController, Hold } from '../hold.js'
import { isSuccess } from '../media-type.js'
import { readReply } from './read-reply.js'
import { refusalOf } from '../refusal.js'
import type { ReplyContext } from '../context.js'

interface Kept {
  readonly chunks: readonly Buffer[]
  readonly last: Buffer | undefined
}

/** Judges every choice of the reply once the handler has ended, then releases or refuses it. */
export function wholeHold(exit: ResponseController, context: ReplyContext): Hold {
  // An error in its own words has nothing to judge.
  const why = isSuccess(exit.res.statusCode) ? context.dialect.unjudgedReplies : 'status'
  const judge = async ({ chunks, last }: Kept): Promise<readonly Judgement[]> => {
    const { res } = exit
    const choices = await readReply(
      {
        bytes:
          last !== undefined && chunks.length === 0
            ? last
            : Buffer.concat(last === undefined ? chunks : [...chunks, last]),
        status: res.statusCode,
        contentType: String(res.getHeader('content-type') ?? ''),
        contentEncoding: String(res.getHeader('content-encoding') ?? ''),
        maxBytes: context.maxReplyBytes,
      },
      context.dialect,
    )
    return choices.length === 1
      ? [await context.judgeReply(choices[0]!.text)]
      : await Promise.all(choices.map(({ text }, index) => context.judgeReply(text, index)))
  }
  return keepWhole(exit, context, judge, why)
}

/** Keeps a response that needs no judging until the input check, which runs beside it, is done. */
export function gateHold(exit: ResponseController, context: ReplyContext, why: NotJudgedReason): Hold {
  return keepWhole(exit, context, () => Promise.resolve([]), why)
}

function keepWhole(
  exit: ResponseController,
  context: ReplyContext,
  judge: (kept: Kept) => Promise<readonly Judgement[]>,
  why?: NotJudgedReason,
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

  /** The gate comes first for errors too: failing open says nothing about an input that is still being judged. */
  function onceOpen(step: () => void): void | Promise<void> {
    return context.gate === undefined ? step() : context.gate.then(step)
  }

  function conclude(decision: Decision, judgements: readonly Judgement[]): void {
    if (over) return
    over = true
    if (decision.action === 'allow') {
      setVerdictHeaders(exit.res, [context.input, decision])
      for (const chunk of chunks) exit.release(chunk)
      // Past the bound and let through all the same: what the handler still writes follows as it comes.
      if (ended) exit.finish(last)
      else exit.open()
    } else {
      const { status, headers, body } = refusalOf(decision, context)
      exit.refuse(status, headers, body)
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
    // Before the input verdict nothing may leave and nothing more may be kept: then failing open is no choice.
    conclude(
      gateOpen ? context.decideReplyError(error) : { ...context.decideReplyError(error), action: 'unavailable' },
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
          (judgements) => onceOpen(() => conclude(context.decideReply(judgements, why), judgements)),
          (error: unknown) => onceOpen(() => conclude(context.decideReplyError(toLlamaGuardError(error)), [])),
        )
        .catch(() => exit.destroy())
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

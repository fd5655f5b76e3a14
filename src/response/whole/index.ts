// Holds a reply as a whole, within a bound, and reads the text of every choice in whatever form it came. A chat's reply
// that cannot be read is an error, never an empty text. Each write of the handler is kept as a write of its own, so
// that the released reply is framed as the handler framed it.
import type { Dialect, Media, ReplyChoice } from '../../dialects/dialect.js'
import { generic } from '../../dialects/generic.js'
import { BUILT_IN } from '../../dialects/index.js'
import { oneChoice } from '../../dialects/kit/reply-fields.js'
import type { FoundCall } from '../../dialects/tool-calls.js'
import type { Decision, Judgement, NotJudgedReason } from '../../types.js'
import { LlamaGuardError } from '../../types/errors.js'
import { namesTwice, parseLoosely } from '../../wire/json.js'
import type { Hold, ReplyContext, ResponseController } from '../context.js'
import {
  codingsOf,
  isJson,
  isReadable,
  isStream,
  isSuccess,
  isUtf8,
  labelOf,
  mediaType,
  setVerdictHeaders,
} from '../head.js'
import { refusalOf } from '../refusal.js'
import { decodeBody, isKnownCoding, unreadable } from './decode.js'
import { isErrorPage, proseOfError } from './error-words.js'
import { callsIn, looksLikeStream, readFrames } from './frames.js'

interface Judged {
  readonly judgements: readonly Judgement[]
  /** Why there are none. Default: the reply has no words. */
  readonly why?: NotJudgedReason | undefined
}

/** Judges every choice of the reply once the handler has ended, then releases or refuses it. */
export function wholeHold(controller: ResponseController, context: ReplyContext): Hold {
  const { res } = controller
  // An error in its own words has nothing to judge.
  const why = isSuccess(res.statusCode) ? context.dialect.unjudgedReplies : 'status'
  return keepWhole(controller, context, async (bytes) => {
    const { askToolCall, dialect } = context
    let calls: readonly FoundCall[] = []
    const reply: RawReply = {
      bytes,
      status: res.statusCode,
      contentType: String(res.getHeader('content-type') ?? ''),
      codings: codingsOf(res),
      maxBytes: context.maxReplyBytes,
      media: context.settings.images,
      redirects: res.statusCode >= 300 && res.statusCode < 400 && res.hasHeader('location'),
      wordless: dialect === generic && context.asked?.turns?.length === 0,
    }
    const choices = await readReply(reply, dialect, askToolCall && ((text, type) => (calls = callsIn(text, type))))
    if (choices === undefined) return { judgements: [], why: 'binary' }
    const asked = calls.map((call) => askToolCall?.(call))
    const judgements = await Promise.all([...choices.map(({ text }, at) => context.judgeReply(text, at)), ...asked])
    return { judgements: judgements.filter((each) => each !== undefined), why }
  })
}

/** Holds a response that needs no judging until the input check, which runs at the same time, is done. */
export function gateHold(controller: ResponseController, context: ReplyContext, why: NotJudgedReason): Hold {
  return keepWhole(controller, context, why)
}

/** `judge`: how the reply is judged once it is whole, or why it is not and need not be whole. */
function keepWhole(
  controller: ResponseController,
  context: ReplyContext,
  judge: ((bytes: Buffer) => Promise<Judged>) | NotJudgedReason,
): Hold {
  const { gate } = context
  const chunks: Buffer[] = []
  let last: Buffer | undefined
  let length = 0
  let ended = false
  let over = false
  let gateOpen = gate === undefined
  gate
    ?.then((allowed) => {
      gateOpen = allowed
      if (!allowed) over = true
      else if (typeof judge === 'string') conclude(context.decide('output', [], judge))
    })
    .catch(() => controller.destroy())

  function conclude(decision: Decision, judgements: readonly Judgement[] = []): void {
    if (over) return
    over = true
    // Before anything leaves, because a mount outside of this one names the strictest decision in its headers.
    context.record(decision, judgements)
    if (decision.action === 'allow') {
      setVerdictHeaders(context, decision)
      for (const chunk of chunks) controller.release(chunk)
      // What the handler still writes to a reply that is let through follows directly.
      if (ended) controller.finish(last)
      else controller.open()
    } else {
      const { status, headers, body } = refusalOf(decision, context)
      controller.refuse(status, headers, body)
      context.abort()
    }
    chunks.length = 0
  }

  /** Failures wait for the gate too: `onError: 'open'` says nothing about an input that is still being judged. */
  function concludeOnceOpen(decide: () => Decision, judgements?: readonly Judgement[]): void | Promise<void> {
    const step = (): void => conclude(decide(), judgements)
    return gate === undefined ? step() : gate.then(step)
  }

  function grow(chunk: Buffer | undefined): void {
    length += chunk?.length ?? 0
    if (length <= context.maxReplyBytes) return
    const message = 'The reply is larger than maxReplyBytes. Raise it, or ask the model for less.'
    const decision = context.decideError('output', new LlamaGuardError('reply_too_large', message))
    // Nothing may leave before the input verdict, and nothing more may be kept. The reply is refused even with
    // `onError: 'open'`.
    conclude(gateOpen ? decision : { ...decision, action: 'unavailable' })
  }

  return {
    write(chunk) {
      chunks.push(chunk)
      grow(chunk)
    },
    end(chunk) {
      ended = true
      last = chunk
      grow(chunk)
      if (over || typeof judge === 'string') return
      judge(last !== undefined && chunks.length === 0 ? last : Buffer.concat(last ? [...chunks, last] : chunks))
        .then(
          ({ judgements, why }) => concludeOnceOpen(() => context.decide('output', judgements, why), judgements),
          (error: unknown) => concludeOnceOpen(() => context.decideError('output', error)),
        )
        .catch(() => controller.destroy())
    },
    fail: conclude,
    gone() {
      over = true
      chunks.length = 0
      context.abort()
    },
  }
}

const MAX_CHOICES = 128

interface RawReply {
  readonly bytes: Buffer
  readonly status: number
  readonly contentType: string
  /** The content codings of `bytes`, the last applied last. */
  readonly codings: readonly string[]
  readonly maxBytes: number
  /** Default: `refuse`. */
  readonly media?: Media | undefined
  /** True for a redirect, whose body hardly anybody reads. */
  readonly redirects?: boolean
  /** True for the reply to a request without words, such as a download. Default: false. */
  readonly wordless?: boolean
}

/**
 * The texts to judge, one per choice. Empty texts are left out. Undefined for a reply that is no text, to a request
 * that is no chat.
 * `onText` is told what the bytes say, and of what type it is.
 * @throws LlamaGuardError `unreadable_response` for the reply to a chat, and for text that cannot be read.
 */
export async function readReply(
  reply: RawReply,
  dialect: Dialect,
  onText?: (text: string, type: string) => void,
): Promise<readonly ReplyChoice[] | undefined> {
  const { status, contentType, codings, bytes, media, redirects = false, wordless = false } = reply
  // No bytes are no words, in whatever coding and type.
  if (bytes.length === 0) return []
  const noChat = dialect === generic || redirects
  const type = mediaType(contentType)
  const failed = !isSuccess(status)
  if (status === 206 && !noChat) throw unreadable('a part of a reply (206)')
  // What a handler sends that sends a Buffer, or a file of its own type. It may be text.
  const bare = type === 'application/octet-stream' || (noChat && !isReadable(type))
  // An error of any type is read as text, because it may contain a reply.
  if (!failed && !bare && !isReadable(type)) throw unreadable('a content-type that is neither text nor JSON')
  if ((wordless || redirects) && !codings.every(isKnownCoding)) return undefined
  if (!isUtf8(contentType)) {
    if (redirects) return undefined
    throw unreadable('a charset other than UTF-8')
  }
  const text = textOf(codings.length === 0 ? bytes : await decodeBody(bytes, codings, reply.maxBytes))
  if (text === undefined && noChat && (bare || failed)) return undefined
  if (text === undefined || (text.includes('\u0000') && !bare)) throw unreadable('bytes that are no text')
  // A part of a file or of JSON is no JSON.
  const choices =
    status === 206 ? [{ index: 0, text }] : readText(text.replaceAll('\u0000', ''), { type, failed, dialect, media })
  onText?.(text, type)
  const spoken = choices.filter((choice) => choice.text !== '')
  if (spoken.length > MAX_CHOICES) throw unreadable(`more than ${MAX_CHOICES} choices`)
  return spoken
}

interface Reading {
  readonly type: string
  readonly failed: boolean
  readonly dialect: Dialect
  readonly media: Media | undefined
}

/** The form is recognised from the text, not from the content-type. */
function readText(text: string, reading: Reading): readonly ReplyChoice[] {
  const { type, failed, dialect, media } = reading
  const label = labelOf(type)
  const events = (): readonly ReplyChoice[] =>
    readFrames(text, label ?? 'text', dialect, { bare: label === 'text', media })
  if (label === 'events') return events()
  const parsed = parseLoosely(text)
  if (parsed !== undefined) {
    const isText = label === 'text' && !failed && dialect.unjudgedReplies === undefined
    return readJson(parsed.value, text, reading, isText)
  }
  if (isStream(type) || looksLikeStream(text)) return events()
  // This applies to error statuses too, because broken JSON may be half of a reply.
  if (isJson(type) && /^[\s\uFEFF]*[{[]/.test(text)) throw unreadable('broken JSON')
  return failed && isErrorPage(text) ? [] : [{ index: 0, text }]
}

/** `isText`: the label says text, so that the model may have written the fields of a server as well. */
function readJson(
  value: unknown,
  text: string,
  { failed, dialect, media }: Reading,
  isText: boolean,
): readonly ReplyChoice[] {
  if (namesTwice(text, value)) throw unreadable('a key that one object names twice, which clients read differently')
  const known = isText || dialect === generic ? undefined : dialect.reply(value, media)
  if (known !== undefined) return known
  // A list of the events of an API is read like the stream that it is.
  if (Array.isArray(value) && BUILT_IN.some(({ answers }) => answers?.(value[0]) === true))
    return readFrames(text, 'array', dialect, { bare: isText, media })
  if (failed && !Array.isArray(value)) return [{ index: 0, text: proseOfError(value, media).join('\n') }]
  // A bare number is judged as it is written.
  if (typeof value !== 'object') return [{ index: 0, text: typeof value === 'string' ? value : text }]
  return isText ? oneChoice(value, {}, { media }) : generic.reply(value, media)!
}

// Shared by all replies, because a decoder without `stream` keeps nothing from one call to the next.
const UTF8 = new TextDecoder('utf-8', { fatal: true })

/** The text of a body in UTF-8; undefined for other bytes. */
function textOf(bytes: Buffer): string | undefined {
  try {
    return UTF8.decode(bytes)
  } catch {
    return undefined
  }
}

// What becomes of one request, kept until its response has closed: what the guards were asked and said, what nobody
// saw, and what the guard added to its time.
import { createHmac } from 'node:crypto'
import type { AddedLatency, Conversation, NotJudged, RequestEvent, Stage, Unjudged, VerdictEvent } from '../types.js'

type LedgerFacts = Pick<
  RequestEvent,
  'requestId' | 'context' | 'traceId' | 'dialect' | 'model' | 'policy' | 'mode' | 'stream' | 'status'
>

/** Different choices of a reply that are counted and sealed; a reply has fewer. */
const MAX_CHOICES = 128

export class RequestLedger {
  readonly clock = new AddedLatencyClock()
  /** Called at the verdict on the reply, when the response closed before. */
  whenTold: (() => void) | undefined
  readonly #time = new Date().toISOString()
  readonly #started = performance.now()
  readonly #secret: string | undefined
  readonly #stages = new Map<Stage, VerdictEvent>()
  readonly #parts = new Map<Unjudged, number>()
  /** The text only where it is to be sealed, once, at the end: a stream asks about all of it again and again. */
  readonly #choices = new Map<number, { chars: number; text: string | undefined }>()
  #inputChars = 0
  #inputHmac: string | undefined

  /** `secret`: seals what is judged with an HMAC. */
  constructor(secret: string | undefined) {
    this.#secret = secret
  }

  /** What the guards are asked about. `newest`: the newest words of the user. */
  asksInput(conversations: readonly Conversation[], newest: string): void {
    this.#inputChars = judgedChars(conversations)
    this.#inputHmac = this.#seal(newest)
  }

  /** A choice of the reply as far as it has come: later texts of a choice hold the earlier ones. */
  asksReply(text: string, choice: number): void {
    if (this.#choices.size >= MAX_CHOICES && !this.#choices.has(choice)) return
    this.#choices.set(choice, { chars: text.length, text: this.#secret === undefined ? undefined : text })
  }

  part({ what, count }: NotJudged): void {
    this.#parts.set(what, (this.#parts.get(what) ?? 0) + count)
  }

  stage(event: VerdictEvent): void {
    this.#stages.set(event.stage, event)
    if (event.stage === 'output') this.whenTold?.()
  }

  /** True when the request went to its handler and its reply has no verdict yet. */
  get awaitsReply(): boolean {
    const input = this.#stages.get('input')
    return input?.action === 'allow' && !this.#stages.has('output')
  }

  /**
   * `isChat`: false for what passed without being read as one. `finished`: false when the client left before the
   * response was whole.
   */
  event(about: LedgerFacts, { isChat, finished }: { isChat: boolean; finished: boolean }): RequestEvent {
    const stages = [...this.#stages.values()]
    const verdicts = stages.filter(({ verdict }) => verdict === 'safe' || verdict === 'unsafe')
    const decisive = stages.find(({ action }) => action !== 'allow') ?? verdicts.at(-1) ?? stages.at(-1)
    const untold = stages.length === 0 || (isChat && this.awaitsReply)
    return {
      time: this.#time,
      ...about,
      added: this.clock.added,
      ms: Math.round((performance.now() - this.#started) * 10) / 10,
      judged: verdicts.length > 0,
      ...(decisive !== undefined && { stage: decisive.stage, verdict: decisive.verdict }),
      action: decisive?.action ?? 'allow',
      categories: [...new Set(stages.flatMap(({ categories }) => categories))],
      ...(decisive?.code !== undefined && { code: decisive.code }),
      ...(decisive?.score !== undefined && { score: decisive.score }),
      amount: {
        chars: [...this.#choices.values()].reduce((sum, { chars }) => sum + chars, this.#inputChars),
        pieces: stages.reduce((sum, { checks, verdict }) => sum + (verdict === 'skipped' ? 0 : checks), 0),
        choices: this.#choices.size,
      },
      notJudged: this.#notJudged(stages, untold ? (finished ? 'error' : 'client-left') : undefined),
      stages,
      ...this.#seals(),
    }
  }

  #notJudged(stages: readonly VerdictEvent[], untold: Unjudged | undefined): readonly NotJudged[] {
    const counts = new Map(this.#parts)
    const count = (what: Unjudged): unknown => counts.set(what, (counts.get(what) ?? 0) + 1)
    for (const { verdict, why } of stages)
      if (verdict === 'skipped') count(why ?? 'empty')
      else if (verdict === 'unjudged') count('error')
    if (untold !== undefined) count(untold)
    return [...counts].map(([what, count]) => ({ what, count }))
  }

  #seals(): Pick<RequestEvent, 'hmac'> {
    if (this.#secret === undefined) return {}
    const output = [...this.#choices.values()].flatMap(({ text }) =>
      text === undefined ? [] : (this.#seal(text) ?? []),
    )
    return {
      hmac: { ...(this.#inputHmac !== undefined && { input: this.#inputHmac }), ...(output.length > 0 && { output }) },
    }
  }

  #seal(text: string): string | undefined {
    return this.#secret === undefined ? undefined : createHmac('sha256', this.#secret).update(text).digest('hex')
  }
}

export class AddedLatencyClock {
  #input: number | undefined
  #firstGiven: number | undefined
  #firstLeft: number | undefined
  #lastGiven: number | undefined
  #lastLeft: number | undefined

  /** Measures how long an answer takes. */
  async waitsFor<T>(answer: Promise<T>): Promise<T> {
    const started = performance.now()
    try {
      return await answer
    } finally {
      this.#input = performance.now() - started
    }
  }

  /** The handler has written to a reply that is held. */
  gave(last: boolean): void {
    if (this.#firstGiven !== undefined && !last) return
    const now = performance.now()
    this.#firstGiven ??= now
    if (last) this.#lastGiven = now
  }

  /** Bytes of the handler have left. */
  left(last: boolean): void {
    if (this.#firstLeft !== undefined && !last) return
    const now = performance.now()
    this.#firstLeft ??= now
    if (last) this.#lastLeft = now
  }

  get added(): AddedLatency {
    const firstByte = between(this.#firstGiven, this.#firstLeft)
    const lastByte = between(this.#lastGiven, this.#lastLeft)
    return {
      ...(this.#input !== undefined && { input: rounded(this.#input) }),
      ...(firstByte !== undefined && { firstByte }),
      ...(lastByte !== undefined && { lastByte }),
    }
  }
}

function between(from: number | undefined, to: number | undefined): number | undefined {
  return from === undefined || to === undefined ? undefined : rounded(to - from)
}

function rounded(ms: number): number {
  return Math.round(ms * 10) / 10
}

/** Characters of the turns that are judged, without their context. */
export function judgedChars(conversations: readonly Conversation[]): number {
  return conversations.reduce((sum, turns) => sum + (turns.at(-1)?.text.length ?? 0), 0)
}

// When a stream is judged: one check in flight per choice, at most, started by new text, by waiting text, or
// by the end.
import { LlamaGuardError } from '../../errors.js'
import type { StreamDelta } from '../../dialects/dialect.js'
import type { Decision, Judgement } from '../../types.js'
import { Transcript } from './transcript.js'

/**
 * New text that starts the second check; it doubles with every safe verdict, up to `windowChars`: early words
 * must flow, late ones be cheap.
 */
const FIRST_STEP_CHARS = 16
/** More choices than any API gives. */
const MAX_CHOICES = 128

export interface StreamJudgeOptions {
  readonly settings: { readonly windowChars: number; readonly windowMs: number }
  /** `choice`: the number of the choice in the reply. */
  judge(text: string, choice: number): Promise<Judgement>
  decide(judgements: readonly Judgement[]): Decision
  /** A verdict allows text to leave. */
  onAllowed(): void
  onRefused(decision: Decision): void
}

interface Choice {
  readonly index: number
  readonly transcript: Transcript
  step: number
  checking: boolean
  /** When the oldest text that no check has read arrived. */
  waitingSince: number | undefined
  /** Position up to which the newest check has read. */
  asked: number
  /** Where its first words end. Undefined while there are only names, ids and comments. */
  wordsAt: number | undefined
  timer: NodeJS.Timeout | undefined
}

export class StreamJudge {
  readonly #options: StreamJudgeOptions
  readonly #choices = new Map<number, Choice>()
  readonly #judgements: Judgement[] = []
  readonly #running = new Set<Promise<void>>()
  #allowed = false
  #words = false
  #ended = false
  #stopped = false

  constructor(options: StreamJudgeOptions) {
    this.#options = options
  }

  /** True from the first verdict on that let words of the model leave, not names, ids and comments alone. */
  get hasAllowed(): boolean {
    return this.#allowed
  }

  /** True from the first word of the model on. */
  get hasWords(): boolean {
    return this.#words
  }

  /** True while some text has no verdict yet: one is on its way, or will be asked for in `windowMs`. */
  get waiting(): boolean {
    return [...this.#choices.values()].some(({ transcript }) => transcript.judged < transcript.length)
  }

  /** Adds new text and returns the position that must be judged before it may leave. */
  add({ choice: index, channel, text, aside = false, from }: StreamDelta): number {
    let choice = this.#choices.get(index)
    if (choice === undefined) {
      if (this.#choices.size === MAX_CHOICES)
        throw new LlamaGuardError(
          'unreadable_response',
          `The stream has more than ${MAX_CHOICES} choices. Ask for fewer.`,
        )
      choice = {
        index,
        transcript: new Transcript(),
        step: FIRST_STEP_CHARS,
        checking: false,
        waitingSince: undefined,
        asked: 0,
        wordsAt: undefined,
        timer: undefined,
      }
      this.#choices.set(index, choice)
    }
    choice.transcript.add(channel, text, from)
    choice.waitingSince ??= performance.now()
    if (!aside) {
      this.#words = true
      choice.wordsAt ??= choice.transcript.length
    }
    return choice.transcript.length
  }

  /** Gives every channel a copy under this prefix, for another reading of the stream. */
  fork(prefix: string): void {
    for (const { transcript } of this.#choices.values()) transcript.fork(prefix)
  }

  covers(index: number, position: number): boolean {
    const choice = this.#choices.get(index)
    return choice !== undefined && choice.transcript.judged >= position
  }

  /** Starts every check that is due. Called when text has arrived. */
  consider(): void {
    for (const choice of this.#choices.values()) this.#considerChoice(choice)
  }

  /** The reply is complete: what has not been read is read now. */
  end(): void {
    this.#ended = true
    this.consider()
  }

  /** Nobody waits any more. Checks in flight are the caller's to abort. */
  stop(): void {
    this.#stopped = true
    for (const choice of this.#choices.values()) clearTimeout(choice.timer)
  }

  /** Resolves when no check is in flight or due. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running)
  }

  judgements(): readonly Judgement[] {
    return this.#judgements
  }

  decision(): Decision {
    return this.#options.decide(this.#judgements)
  }

  #considerChoice(choice: Choice): void {
    const { transcript } = choice
    const fresh = transcript.length - choice.asked
    if (this.#stopped || choice.checking || fresh === 0) return
    const { windowChars, windowMs } = this.#options.settings
    // Names, ids and comments alone may wait: nothing leaves before the first words are judged.
    const first = choice.asked < (choice.wordsAt ?? 0)
    const step = choice.wordsAt === undefined ? windowChars : Math.min(choice.step, windowChars)
    const enough = first || this.#ended || fresh >= step
    const waited = enough ? 0 : performance.now() - (choice.waitingSince ?? performance.now())
    if (enough || waited >= windowMs) {
      clearTimeout(choice.timer)
      choice.timer = undefined
      this.#check(choice)
    } else {
      // The timer only asks again: a check in between will have moved what waits.
      choice.timer ??= setTimeout(
        () => {
          choice.timer = undefined
          this.#considerChoice(choice)
        },
        Math.max(1, Math.ceil(windowMs - waited)),
      )
    }
  }

  #check(choice: Choice): void {
    const snapshot = choice.transcript.snapshot()
    choice.checking = true
    choice.asked = snapshot.covers
    choice.waitingSince = undefined
    const check = this.#options.judge(snapshot.text, choice.index).then((judgement) => {
      choice.checking = false
      if (this.#stopped) return
      this.#judgements.push(judgement)
      const decision = this.#options.decide([judgement])
      if (decision.action !== 'allow') return this.#options.onRefused(decision)
      if (choice.wordsAt !== undefined && snapshot.covers >= choice.wordsAt) this.#allowed = true
      choice.transcript.accept(snapshot)
      choice.step *= 2
      this.#considerChoice(choice)
      this.#options.onAllowed()
    })
    this.#running.add(check)
    void check.finally(() => this.#running.delete(check))
  }
}

// Decides when a stream is judged. Each choice has at most one check in flight. New text, text that has waited long
// enough, or the end of the stream starts a check.
import { LlamaGuardError } from '../../errors.js'
import type { StreamDelta } from '../../dialects/dialect.js'
import type { Decision, Judgement } from '../../types.js'
import { FIRST_STEP_CHARS, nextStep, type NextStep } from './step.js'
import { Transcript } from './transcript.js'

/** More choices than any API sends. */
const MAX_CHOICES = 128

export interface StreamJudgeOptions {
  readonly settings: { readonly windowChars: number; readonly windowMs: number }
  /** `choice`: the number of the choice in the reply. */
  judge(text: string, choice: number): Promise<Judgement>
  decide(judgements: readonly Judgement[]): Decision
  /** Called when a verdict allows text to leave. */
  onAllowed(): void
  onRefused(decision: Decision): void
  /** Default: {@link nextStep}. */
  readonly nextStep?: NextStep
}

interface Choice {
  readonly index: number
  readonly transcript: Transcript
  /** Characters of new text that start the next check. Undefined before the first verdict. */
  step: number | undefined
  checking: boolean
  /** The arrival time of the oldest text that no check has read. */
  waitingSince: number | undefined
  /** The position up to which the newest check has read. */
  asked: number
  /** The position where the first words end. Undefined while there are only names, ids and comments. */
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

  /** True once a verdict has let words of the model leave. Names, ids and comments alone do not count. */
  get hasAllowed(): boolean {
    return this.#allowed
  }

  /** True once the model has said a word. */
  get hasWords(): boolean {
    return this.#words
  }

  /** True while some text has no verdict yet: its check is running or will start within `windowMs`. */
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
        step: undefined,
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

  covers(index: number, position: number): boolean {
    const choice = this.#choices.get(index)
    return choice !== undefined && choice.transcript.judged >= position
  }

  /** Starts every check that is due. Called when text has arrived. */
  consider(): void {
    for (const choice of this.#choices.values()) this.#considerChoice(choice)
  }

  /** The reply is complete. A check reads all text that no check has read. */
  end(): void {
    this.#ended = true
    this.consider()
  }

  /** Stops starting checks. The caller aborts the checks in flight. */
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
    // Names, ids and comments alone can wait, because nothing leaves before the first words are judged.
    const first = choice.asked < (choice.wordsAt ?? 0)
    const step = choice.wordsAt === undefined ? windowChars : Math.min(choice.step ?? FIRST_STEP_CHARS, windowChars)
    const enough = first || this.#ended || fresh >= step
    const waited = enough ? 0 : performance.now() - (choice.waitingSince ?? performance.now())
    if (enough || waited >= windowMs) {
      clearTimeout(choice.timer)
      choice.timer = undefined
      this.#check(choice)
    } else {
      // The timer only considers the choice again, because a check in between may have read the waiting text.
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
      const { nextStep: next = nextStep } = this.#options
      choice.step = next(choice.step, choice.transcript.length - snapshot.covers)
      this.#considerChoice(choice)
      this.#options.onAllowed()
    })
    this.#running.add(check)
    void check.finally(() => this.#running.delete(check))
  }
}

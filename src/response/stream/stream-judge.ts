// Decides when a stream is judged. Each choice has at most one check in flight. The first starts with the first word,
// and the last when the stream ends. Between them the guard's own speed sets the pace.
import { unreadableResponse } from '../../types/errors.js'
import type { StreamDelta } from '../../dialects/dialect.js'
import type { Decision, Judgement } from '../../types.js'
import { LazyAbortController } from '../../utils/deadline.js'
import type { Pace, ReplySettings } from '../context.js'
import { Transcript } from './held.js'

/** More choices than any API sends. */
const MAX_CHOICES = 128
/** Readers do not see shorter gaps, and checks cost CPU of the app. */
const SHORTEST_GAP_MS = 40

export interface StreamJudgeOptions {
  readonly settings: Pick<ReplySettings, 'windowChars' | 'windowMs' | 'streaming'>
  readonly pace: Pace
  /**
   * `choice`: the number of the choice in the reply. `passing`: true between the first check and the last. Where such a
   * text ends depends on the time, so it hardly comes again: remembered, 100 streams at a fast guard's pace would push
   * all other verdicts out of the cache in seconds, and wait for a shared store at each check.
   */
  judge(text: string, choice: number, calledOff: LazyAbortController, passing: boolean): Promise<Judgement>
  decide(judgements: readonly Judgement[]): Decision
  /** Called when a verdict allows text to leave. */
  onAllowed(): void
  onRefused(decision: Decision): void
}

interface Choice {
  readonly index: number
  readonly transcript: Transcript
  /** The check in flight. */
  check: LazyAbortController | undefined
  /** When the newest check has started. */
  started: number
  /** When the text that no check has read may be checked. */
  due: number | undefined
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
  #leavePace: (() => void) | undefined

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
  add({ choice: index, channel, text, aside = false }: StreamDelta): number {
    let choice = this.#choices.get(index)
    if (choice === undefined) {
      if (this.#choices.size === MAX_CHOICES)
        throw unreadableResponse(`The stream has more than ${MAX_CHOICES} choices. Ask for fewer.`)
      choice = {
        index,
        transcript: new Transcript(),
        check: undefined,
        started: -Infinity,
        due: undefined,
        asked: 0,
        wordsAt: undefined,
        timer: undefined,
      }
      this.#choices.set(index, choice)
    }
    choice.transcript.add(channel, text)
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

  /** True once a check has begun that reads up to this position. */
  hasAsked(index: number, position: number): boolean {
    return this.#choices.get(index)!.asked >= position
  }

  /** Counts a judgement from elsewhere like one of a check. */
  note(judgement: Judgement): void {
    this.#judgements.push(judgement)
    const decision = this.#options.decide([judgement])
    if (decision.action !== 'allow') this.#options.onRefused(decision)
  }

  /** Starts every check that is due. Called when text has arrived. */
  consider(): void {
    for (const choice of this.#choices.values()) this.#considerChoice(choice)
  }

  /** The reply is complete. A check reads all text that no check has read. */
  end(): void {
    this.#ended = true
    this.#leavePace?.()
    this.consider()
  }

  /** Stops starting checks. The caller aborts the checks in flight. */
  stop(): void {
    this.#stopped = true
    this.#leavePace?.()
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
    if (this.#stopped || choice.transcript.length === choice.asked) return
    // While a check runs, the next one takes its turn once.
    const isNext = choice.check !== undefined && !this.#ended
    if (isNext && choice.due !== undefined) return
    const wait = this.#ended ? 0 : this.#waitOf(choice)
    if (isNext) return
    // The last check covers the one in flight, which goes on only where the first words wait for it.
    if (this.#allowed) choice.check?.abort()
    if (wait <= 0) {
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
        Math.max(1, Math.ceil(wait)),
      )
    }
  }

  /** Milliseconds until new text of the choice is judged. */
  #waitOf(choice: Choice): number {
    const { transcript, asked, wordsAt } = choice
    const { settings, pace } = this.#options
    const { windowChars, windowMs, streaming } = settings
    // The first words are judged at once.
    if (asked < (wordsAt ?? 0) || transcript.length - asked >= windowChars) return 0
    const now = performance.now()
    // Names, ids and comments alone can wait, because nothing leaves before the first words are judged.
    choice.due ??= wordsAt === undefined || streaming === 'fixed' ? now + windowMs : pace.turn(windowMs)
    return Math.max(choice.due, choice.started + Math.min(SHORTEST_GAP_MS, windowMs)) - now
  }

  #check(choice: Choice): void {
    const snapshot = choice.transcript.snapshot()
    const calledOff = new LazyAbortController()
    if (!this.#ended) this.#leavePace ??= this.#options.pace.join()
    const started = performance.now()
    const passing = choice.asked > 0 && !this.#ended
    Object.assign(choice, { check: calledOff, started, asked: snapshot.covers, due: undefined })
    const check = this.#options.judge(snapshot.text, choice.index, calledOff, passing).then((judgement) => {
      if (this.#stopped || calledOff.aborted) return
      if (choice.check === calledOff) choice.check = undefined
      const failed = 'error' in judgement
      if (failed || judgement.verdict.cached !== true)
        this.#options.pace.took(failed ? undefined : performance.now() - started)
      this.#judgements.push(judgement)
      const decision = this.#options.decide([judgement])
      if (decision.action !== 'allow') return this.#options.onRefused(decision)
      if (choice.wordsAt !== undefined && snapshot.covers >= choice.wordsAt) this.#allowed = true
      choice.transcript.accept(snapshot)
      this.#considerChoice(choice)
      this.#options.onAllowed()
    })
    this.#running.add(check)
    void check.finally(() => this.#running.delete(check))
  }
}

// What the dashboard counts of all guards of this process, from the channels they publish on. Names come from closed
// sets or are bounded in number, and no message holds chat content, so nothing that was said can be counted.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import {
  CHANNELS,
  checkChannel,
  type CheckMessage,
  type RequestMessage,
  type VerdictMessage,
} from '../telemetry/channels.js'
import type { Stage } from '../types.js'
import { type Ending, Window } from './recent.js'

/** Different names of one kind; the rest is `other`. */
const MOST_NAMES = 64

export type Verdicts = Record<'safe' | 'unsafe' | 'unjudged' | 'blocked', number>

export class Counters {
  readonly windows = [new Window('minute'), new Window('hour', 60), new Window('day', 24 * 60)]
  readonly since = Date.now()
  readonly verdicts: Readonly<Record<Stage, Verdicts>> = { input: none(), output: none() }
  readonly categories = new Tally()
  readonly notJudged = new Tally()
  readonly errors = new Tally()
  readonly tokens = { input: 0, output: 0 }
  requests = 0
  /** Checks for which a guard was asked. */
  asked = 0
  /** Verdicts of the small guard of a cascade. */
  bySmallGuard = 0
  readonly #knows: (category: string) => boolean

  /** `knows`: true for the categories of the policy, which may be shown by their ids. */
  constructor(knows: (category: string) => boolean) {
    this.#knows = knows
  }

  /** Returns what stops counting. */
  start(): () => void {
    const verdict = (message: unknown): void => this.#verdict(message as VerdictMessage)
    const request = (message: unknown): void => this.#request(message as RequestMessage)
    const check = { asyncEnd: (message: unknown): void => this.#check(message as CheckMessage) }
    subscribe(CHANNELS.verdict, verdict)
    subscribe(CHANNELS.request, request)
    checkChannel.subscribe(check as never)
    return () => {
      unsubscribe(CHANNELS.verdict, verdict)
      unsubscribe(CHANNELS.request, request)
      checkChannel.unsubscribe(check as never)
    }
  }

  #verdict({ stage, verdict, action, ms, categories, code }: VerdictMessage): void {
    const counts = this.verdicts[stage]
    counts[verdict]++
    if (action === 'block') counts.blocked++
    for (const window of this.windows) window.judged(stage, ms)
    // A guard of the operator's own may answer with words in the place of an id.
    for (const id of categories) this.categories.add(CATEGORY.test(id) || this.#knows(id) ? id : OTHER)
    if (code !== undefined) this.errors.add(CODE.test(code) ? code : OTHER)
  }

  #request({ action, judged, notJudged }: RequestMessage): void {
    this.requests++
    const ending: Ending = action === 'block' ? 'blocked' : judged && action === 'allow' ? 'released' : 'unjudged'
    for (const window of this.windows) window.ended(ending)
    for (const { what, count } of notJudged) this.notJudged.add(what, count)
  }

  #check({ result }: CheckMessage): void {
    if (result === undefined) return
    if (!result.cached) this.asked++
    this.bySmallGuard += result.bySmallGuard ?? 0
    this.tokens.input += result.tokens.input ?? 0
    this.tokens.output += result.tokens.output ?? 0
  }
}

const OTHER = 'other'
const CATEGORY = /^[A-Za-z]{1,2}\d{1,3}$/
const CODE = /^[a-z_]{1,40}$/
const none = (): Verdicts => ({ safe: 0, unsafe: 0, unjudged: 0, blocked: 0 })

/** Counts by name, the most frequent first. */
export class Tally {
  readonly #counts = new Map<string, number>()

  add(name: string, count = 1): void {
    const key = this.#counts.has(name) || this.#counts.size < MOST_NAMES ? name : OTHER
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + count)
  }

  list(): readonly { readonly name: string; readonly count: number }[] {
    return [...this.#counts].map(([name, count]) => ({ name, count })).sort((a, b) => b.count - a.count)
  }
}

// What an open page is told every second: counts, durations and states of all guards of this process, from the channels
// they publish on. Names come from closed sets or are bounded in number, and no message holds chat content.
import { cacheCounts, liveStats } from '../telemetry/live-guards.js'
import type { Category, Stage } from '../types.js'
import { type CheckMessage, type RequestMessage, type VerdictMessage, listen } from '../telemetry/channels.js'
import type { PlaygroundGuard } from './playground.js'
import { type Ending, type Seen, Window } from './recent.js'

/** What the page is about. */
export interface Facts {
  readonly model: string
  readonly mode: 'enforce' | 'shadow'
  /** The guards of the playground. Undefined without one. */
  readonly offered: readonly Omit<PlaygroundGuard, 'guard'>[] | undefined
}

export type Snapshot = ReturnType<typeof snapshotOf>

const RATE_SECONDS = 10

export function snapshotOf(counters: Counters, { categories, ...facts }: Facts & { categories: readonly Category[] }) {
  const { since, requests, verdicts, notJudged, errors, tokens } = counters
  const live = liveStats()
  const windows = counters.windows.map((window) => window.seen())
  const cache = { hit: 0, shared: 0, joined: 0, miss: 0 }
  for (const counts of live.map(cacheCounts))
    for (const what of ['hit', 'shared', 'joined', 'miss'] as const) cache[what] += counts[what]
  const names = new Map(categories.map(({ id, name }) => [id, name]))
  return {
    ...facts,
    /** When counting began, in milliseconds since 1970. */
    since,
    now: Date.now(),
    requests,
    /** Requests a second, over the last ten whole seconds. */
    rate: rateOf(windows[0]!),
    windows,
    stages: verdicts,
    categories: counters.categories.list().map(({ name: id, count }) => ({ id, name: names.get(id) ?? '', count })),
    notJudged: notJudged.list(),
    errors: errors.list(),
    /** Questions by what the verdict cache did. */
    cache,
    guards: live
      .flatMap(({ guards }) => guards)
      .map(({ model, circuit, inFlight, queued }) => ({ model, circuit, inFlight, queued })),
    /** What the guards counted. */
    tokens,
  }
}

function rateOf({ bars }: Seen): number {
  const whole = bars.slice(-RATE_SECONDS - 1, -1)
  return whole.flat().reduce((sum, count) => sum + count, 0) / RATE_SECONDS
}

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
  readonly #knows: (category: string) => boolean

  /** `knows`: true for the categories of the policy, which may be shown by their ids. */
  constructor(knows: (category: string) => boolean) {
    this.#knows = knows
  }

  /** Returns what stops counting. */
  start(): () => void {
    return listen({
      verdict: (message) => this.#verdict(message),
      request: (message) => this.#request(message),
      check: { asyncEnd: (message) => this.#check(message) },
    })
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
    this.tokens.input += result?.tokens.input ?? 0
    this.tokens.output += result?.tokens.output ?? 0
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

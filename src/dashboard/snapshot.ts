// What an open page is told every second: counts, durations and states of all guards of this process, from the channels
// they publish on. Names come from closed sets or are bounded in number, and no message holds chat content.
import { liveStats } from '../telemetry/live-guards.js'
import type { Category, Stage } from '../types.js'
import { type CheckMessage, type RequestMessage, type VerdictMessage, listen } from '../telemetry/channels.js'
import type { PlaygroundGuard } from './playground.js'
import { type Ending, type Seen, Window } from './recent.js'

/** What the guard costs, as its operator says. */
export interface Price {
  readonly dollars: number
  readonly per: 'hour' | 'million-tokens'
}

type Counts = readonly { readonly name: string; readonly count: number }[]

/** What the page is about. */
export interface Facts {
  readonly model: string
  readonly mode: 'enforce' | 'shadow'
  /** The guards of the playground. Undefined without one. */
  readonly offered: readonly Omit<PlaygroundGuard, 'guard'>[] | undefined
}

export interface Snapshot extends Facts {
  /** When counting began, in milliseconds since 1970. */
  readonly since: number
  readonly now: number
  readonly requests: number
  /** Requests a second, over the last ten whole seconds. */
  readonly rate: number
  readonly windows: readonly Seen[]
  readonly stages: Readonly<Record<'input' | 'output', Verdicts>>
  readonly categories: readonly { readonly id: string; readonly name: string; readonly count: number }[]
  readonly notJudged: Counts
  readonly errors: Counts
  /** Questions by what the verdict cache did. */
  readonly cache: Readonly<Record<'hit' | 'shared' | 'joined' | 'miss', number>>
  /** Guard calls that were not needed. */
  readonly saved: Readonly<Record<'cache' | 'joined' | 'cascade', number>>
  readonly guards: readonly {
    readonly model: string
    readonly circuit: string
    readonly inFlight: number
    readonly queued: number
  }[]
  /** Checks for which a guard was asked, and the tokens it counted for them. */
  readonly asked: number
  readonly tokens: { readonly input: number; readonly output: number }
  readonly cost: Cost | undefined
}

export interface Cost extends Price {
  /** An estimate, in US dollars: the price times the hours or tokens since counting began. */
  readonly spent: number
  /** What a thousand checks cost on average. Undefined before the first. */
  readonly perThousandChecks?: number
  /** What the checks that were not needed would have cost. With a price an hour they cost nothing. */
  readonly saved?: number
}

const RATE_SECONDS = 10

export function snapshotOf(
  counters: Counters,
  facts: Facts & { readonly categories: readonly Category[]; readonly price: Price | undefined },
): Snapshot {
  const { model, mode, offered, categories, price } = facts
  const { since, requests, verdicts, notJudged, errors, asked, tokens, bySmallGuard } = counters
  const live = liveStats()
  const total = (count: (stats: (typeof live)[number]['cache']) => number): number =>
    live.reduce((sum, { cache }) => sum + count(cache), 0)
  const windows = counters.windows.map((window) => window.seen())
  const cache = {
    hit: total(({ hits, store }) => hits - (store?.hits ?? 0)),
    shared: total(({ store }) => store?.hits ?? 0),
    joined: total(({ joined }) => joined),
    miss: total(({ misses }) => misses),
  }
  const saved = { cache: cache.hit + cache.shared, joined: cache.joined, cascade: bySmallGuard }
  const names = new Map(categories.map(({ id, name }) => [id, name]))
  const now = Date.now()
  return {
    model,
    mode,
    offered,
    since,
    now,
    requests,
    rate: rateOf(windows[0]?.bars ?? []),
    windows,
    stages: verdicts,
    categories: counters.categories.list().map(({ name: id, count }) => ({ id, name: names.get(id) ?? '', count })),
    notJudged: notJudged.list(),
    errors: errors.list(),
    cache,
    saved,
    guards: live
      .flatMap(({ guards }) => guards)
      .map(({ model, circuit, inFlight, queued }) => ({ model, circuit, inFlight, queued })),
    asked,
    tokens: { ...tokens },
    cost:
      price && costOf(price, { asked, saved: saved.cache + saved.joined, tokens, hours: (now - since) / 3_600_000 }),
  }
}

function rateOf(seconds: Seen['bars']): number {
  const whole = seconds.slice(-RATE_SECONDS - 1, -1)
  return whole.flat().reduce((sum, count) => sum + count, 0) / RATE_SECONDS
}

function costOf(price: Price, used: { asked: number; saved: number; tokens: Snapshot['tokens']; hours: number }): Cost {
  const { asked, saved, tokens, hours } = used
  const byTokens = price.per === 'million-tokens'
  const spent = price.dollars * (byTokens ? (tokens.input + tokens.output) / 1_000_000 : hours)
  if (asked === 0) return { ...price, spent }
  const each = spent / asked
  return { ...price, spent, perThousandChecks: 1000 * each, ...(byTokens && { saved: saved * each }) }
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

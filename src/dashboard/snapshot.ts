// What an open page is told every second: counts, durations and states, and nothing of what anybody said.
import { liveStats } from '../telemetry/live-guards.js'
import type { Category } from '../types.js'
import type { Counters, Verdicts } from './counters.js'
import type { Ending, StageLatency } from './last-minute.js'

/** What the guard costs, as its operator says. */
export interface Price {
  readonly dollars: number
  readonly per: 'hour' | 'million-tokens'
}

type Counts = readonly { readonly name: string; readonly count: number }[]

export interface Snapshot {
  /** When counting began, in milliseconds since 1970. */
  readonly since: number
  readonly now: number
  readonly requests: number
  /** Requests a second, over the last ten whole seconds. */
  readonly rate: number
  readonly lastMinute: readonly Readonly<Record<Ending, number>>[]
  readonly stages: Readonly<Record<'input' | 'output', Verdicts & { readonly latency: StageLatency }>>
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

export function snapshotOf(counters: Counters, categories: readonly Category[], price: Price | undefined): Snapshot {
  const { lastMinute, since, requests, verdicts, notJudged, errors, asked, tokens, bySmallGuard } = counters
  const live = liveStats()
  const total = (count: (stats: (typeof live)[number]['cache']) => number): number =>
    live.reduce((sum, { cache }) => sum + count(cache), 0)
  const seconds = lastMinute.endings()
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
    since,
    now,
    requests,
    rate: rateOf(seconds),
    lastMinute: seconds,
    stages: {
      input: { ...verdicts.input, latency: lastMinute.latency('input') },
      output: { ...verdicts.output, latency: lastMinute.latency('output') },
    },
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

function rateOf(seconds: Snapshot['lastMinute']): number {
  const whole = seconds.slice(-RATE_SECONDS - 1, -1)
  const ended = whole.reduce((sum, { released, blocked, unjudged }) => sum + released + blocked + unjudged, 0)
  return ended / RATE_SECONDS
}

function costOf(price: Price, used: { asked: number; saved: number; tokens: Snapshot['tokens']; hours: number }): Cost {
  const { asked, saved, tokens, hours } = used
  const byTokens = price.per === 'million-tokens'
  const spent = price.dollars * (byTokens ? (tokens.input + tokens.output) / 1_000_000 : hours)
  if (asked === 0) return { ...price, spent }
  const each = spent / asked
  return { ...price, spent, perThousandChecks: 1000 * each, ...(byTokens && { saved: saved * each }) }
}

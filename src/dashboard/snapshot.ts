// What an open page is told every second: counts, durations and states, and nothing of what anybody said.
import { liveStats } from '../telemetry/live-guards.js'
import type { Category } from '../types.js'
import type { Counters, Verdicts } from './counters.js'
import type { PlaygroundGuard } from './playground-guards.js'
import type { Seen } from './recent.js'

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

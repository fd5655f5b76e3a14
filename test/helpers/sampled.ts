// How much a run tries. `npm test` draws from tables that are products of lists, and makes few rounds of a fuzz;
// `npm run test:long` takes all. The seed is printed at the start, and TEST_SEED=... draws the same again.
import { random, shuffled } from './random.js'

export const LONG = process.env['TEST_LONG'] === '1'
export const SEED = Number(process.env['TEST_SEED'] ?? 1)

/**
 * All rows in the long run. In the fast run, rows of chance in which every value of every key stands: with the title
 * and the server of a row as keys, one row at least for each title and for each server.
 */
export function sampled<Row>(rows: readonly Row[], ...keys: readonly ((row: Row) => unknown)[]): readonly Row[] {
  if (LONG) return rows
  const seen = keys.map(() => new Set<unknown>())
  const drawn = new Set<Row>()
  for (const row of shuffled(rows, random(SEED))) {
    const values = keys.map((key) => key(row))
    if (values.every((value, at) => seen[at]!.has(value))) continue
    drawn.add(row)
    values.forEach((value, at) => seen[at]!.add(value))
  }
  return rows.filter((row) => drawn.has(row))
}

type Table<Value = unknown> = Readonly<Record<string, Value>> | readonly (readonly [string, Value])[]
type Row<Tables> = { readonly title: string } & {
  readonly [Name in keyof Tables]: Tables[Name] extends Table<infer Value> ? Value : never
}

/**
 * The product of tables, sampled: a row has the value of each table under the table's name, and its `title` says which.
 * `but` leaves out rows by the titles of their values.
 */
export function crossed<Tables extends Readonly<Record<string, Table>>>(
  tables: Tables,
  but: (titles: Readonly<Record<keyof Tables, string>>) => boolean = () => false,
): readonly Row<Tables>[] {
  let rows: { titles: Record<string, string>; values: Record<string, unknown> }[] = [{ titles: {}, values: {} }]
  for (const [name, table] of Object.entries(tables)) {
    const entries = (Array.isArray(table) ? table : Object.entries(table)) as (readonly [string, unknown])[]
    rows = rows.flatMap(({ titles, values }) =>
      entries.map(([title, value]) => ({ titles: { ...titles, [name]: title }, values: { ...values, [name]: value } })),
    )
  }
  const kept = rows.filter(({ titles }) => !but(titles as Record<keyof Tables, string>))
  const keys = Object.keys(tables).map((name) => (row: (typeof rows)[number]) => row.titles[name])
  return sampled(kept, ...keys).map(
    ({ titles, values }) => ({ ...values, title: Object.values(titles).join(', ') }) as unknown as Row<Tables>,
  )
}

const chance = random(SEED)

/** All of a list in the long run, and `count` of it, drawn by the seed, in the fast run. For loops within a test. */
export function few<Item>(list: readonly Item[], count: number): readonly Item[] {
  return LONG || list.length <= count ? list : shuffled(list, chance).slice(0, count)
}

/** `numRuns` of fast-check, or the size of another fuzz: a tenth in the fast run, but ten at least. */
export const rounds = (full: number): number => (LONG ? full : Math.min(full, Math.max(10, Math.ceil(full / 10))))

// One body for each API with every kind of field, part, call and item that the engine reads in a way of its own.
// test/dialects/every-string.test.ts plants words in each of their places.
import { readFileSync } from 'node:fs'

export interface MaximalBody {
  readonly path: string
  readonly body: Record<string, unknown>
}

/** By dialect, or by dialect and what else tells them apart, behind a comma. */
export const MAXIMAL: Readonly<Record<string, MaximalBody>> = JSON.parse(
  readFileSync('test/fixtures/requests.json', 'utf8'),
)

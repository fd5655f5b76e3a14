// The bounds of a request body: how deep it may be nested, how many values it may hold, and names it may not have.
// They are checked before the body is read, so that the readers may recurse.
import { LlamaGuardError } from '../../errors.js'
import { unreadable } from './media.js'

const MAX_DEPTH = 64
/** The most values and names together. Each costs more to read than a character of prose. */
const MAX_NODES = 100_000
const PROTOTYPE_KEYS = new Set(['__proto__', 'constructor', 'prototype'])

/**
 * @throws LlamaGuardError `unreadable_request` for a body that is too deep, too big, or has keys that a merge would
 * make a prototype.
 */
export function checkBounds(body: unknown): void {
  let nodes = 0
  const check = (value: unknown, depth: number): void => {
    nodes += 1
    if (nodes > MAX_NODES) throw unreadable(`The body holds more than ${MAX_NODES} values and names`)
    if (typeof value !== 'object' || value === null) return
    if (depth >= MAX_DEPTH) throw unreadable(`The body is nested deeper than ${MAX_DEPTH} levels`)
    if (Array.isArray(value)) {
      for (const item of value as unknown[]) check(item, depth + 1)
      return
    }
    for (const name of Object.keys(value)) {
      nodes += 1
      if (PROTOTYPE_KEYS.has(name))
        throw new LlamaGuardError(
          'unreadable_request',
          'The body has a key named __proto__, constructor or prototype; remove it.',
        )
      check((value as Record<string, unknown>)[name], depth + 1)
    }
  }
  check(body, 0)
}

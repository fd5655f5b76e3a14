// What sets one guard apart from another in a cache key. A guard that gives no identity is only ever like itself.
import { randomUUID } from 'node:crypto'
import type { Guard } from '../../types.js'

const made = new WeakMap<object, string>()

/**
 * The guard's own identity, or one that no other object in any process has: a shared cache must not mix two
 * custom guards.
 */
export function identityOf(guard: Guard): string {
  return guard.identity ?? uniqueTo(guard)
}

/** A name that stands for this very object and never for another one. */
export function uniqueTo(thing: object): string {
  let name = made.get(thing)
  if (name === undefined) {
    name = `unnamed:${randomUUID()}`
    made.set(thing, name)
  }
  return name
}

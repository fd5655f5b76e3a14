// The name under which a verdict is remembered. Everything the verdict depends on goes in; no chat content
// can be read back out.
import { hash, randomUUID } from 'node:crypto'
import type { Conversation, Guard, Stage } from '../../types.js'

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

export interface CacheKeyParts {
  readonly identity: string
  readonly model: string
  readonly policyHash: string
  readonly tenant: string | undefined
  readonly stage: Stage
  /** What blocks, for guards whose verdict depends on it. */
  readonly blocks?: string | undefined
}

/** Raised when keys or entries change meaning, so that replicas of two releases never share an entry. */
const FORMAT = 2

/**
 * SHA-256 over all of it. Every text stands behind its length, which keeps fields apart whatever they
 * contain, where plain concatenation would let text of one turn pass for the next one.
 */
export function cacheKey(
  { identity, model, policyHash, tenant, stage, blocks }: CacheKeyParts,
  conversation: Conversation,
): string {
  let key = `${FORMAT},${field(identity)}${field(model)}${field(policyHash)}${stage},${tenant === undefined ? '-' : field(tenant)}${blocks === undefined ? '-' : field(blocks)}`
  for (const { role, text, images } of conversation) {
    key += `${role}${field(text)}`
    if (images !== undefined) for (const { url } of images) key += `image${field(url)}`
  }
  return hash('sha256', key)
}

/**
 * JSON escapes lone surrogates, which UTF-8 would fold all into one character. It costs as much as the hash,
 * so only they get it.
 */
function field(text: string): string {
  return text.isWellFormed() ? `${text.length}:${text},` : `${JSON.stringify(text)},`
}

// The key under which a verdict is remembered. It depends on everything that the verdict depends on, and no chat
// content can be read from it.
import { hash, randomUUID } from 'node:crypto'
import type { Conversation, Guard, Stage } from '../../types.js'

const made = new WeakMap<object, string>()

/**
 * The guard's own identity, or a random one for this object: two custom guards must not share entries of a shared
 * cache.
 */
export function identityOf(guard: Guard): string {
  return guard.identity ?? uniqueTo(guard)
}

/** A name for this object, which no other object in any process has. */
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
  /** The name of the function that decides what blocks, for guards whose verdict depends on it. */
  readonly blocks?: string | undefined
}

/** Raised when keys or entries change their meaning, so that replicas of two releases never share an entry. */
const FORMAT = 2

/**
 * SHA-256 over all fields. The length of each text stands before it, which keeps fields apart whatever they contain.
 * With plain concatenation the text of one turn could pass for the next turn.
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
 * A text with lone surrogates is written as JSON, which escapes them; UTF-8 would turn all of them into the same
 * character. JSON costs as much as the hash, so other texts are hashed directly.
 */
function field(text: string): string {
  return text.isWellFormed() ? `${text.length}:${text},` : `${JSON.stringify(text)},`
}

// The name under which a verdict is remembered. Everything the verdict depends on goes in; no chat content can be read back out.
import { hash } from 'node:crypto'
import type { Conversation, Stage } from '../types.js'

export interface CacheKeyParts {
  readonly identity: string
  readonly model: string
  readonly policyHash: string
  readonly tenant: string | undefined
  readonly stage: Stage
  /** What blocks, for guards whose verdict depends on it. */
  readonly decisive?: string | undefined
}

/** Raised when keys or entries change meaning, so that replicas of two releases never share an entry. */
const FORMAT = 1

/**
 * SHA-256 over one JSON array. JSON keeps fields apart whatever they contain, where plain concatenation would let text of
 * one turn pass for the next one, and it escapes lone surrogates, where UTF-8 would fold them all into one character.
 */
export function cacheKey({ identity, model, policyHash, tenant, stage, decisive }: CacheKeyParts, conversation: Conversation): string {
  const turns = conversation.map(({ role, text, images = [] }) => [role, text, images.map((image) => image.url)])
  return hash('sha256', JSON.stringify([FORMAT, identity, model, policyHash, tenant ?? null, stage, decisive ?? null, turns]))
}

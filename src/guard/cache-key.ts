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
  // Put together by hand: as an array of arrays it would take twice the time, and every judgement waits for it.
  let turns = ''
  for (const { role, text, images } of conversation) {
    turns += `${turns === '' ? '' : ','}["${role}",${JSON.stringify(text)},${images === undefined ? '[]' : JSON.stringify(images.map((image) => image.url))}]`
  }
  const parts = JSON.stringify([FORMAT, identity, model, policyHash, tenant ?? null, stage, decisive ?? null])
  return hash('sha256', `${parts.slice(0, -1)},[${turns}]]`)
}

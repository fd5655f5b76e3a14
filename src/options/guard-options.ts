// The options of the guards of a panel and of a cascade.
import type { Guard } from '../types.js'
import type { LlamaGuardOptions } from './index.js'

/**
 * The options of one guard of a panel or a cascade. They mean the same as for the middleware. Variables do not set
 * them.
 */
export type GuardOptions = Pick<
  LlamaGuardOptions,
  | 'guard'
  | 'endpoint'
  | 'inferenceComponent'
  | 'targetVariant'
  | 'guardUrl'
  | 'guardApiKey'
  | 'guardModel'
  | 'model'
  | 'categories'
  | 'task'
  | 'instruction'
  | 'actions'
  | 'firstToken'
  | 'timeoutMs'
  | 'concurrency'
>

/** See {@link LlamaGuardOptions.cascade}. */
export interface CascadeOption {
  readonly first: Guard | GuardOptions
  /** A safe verdict with a score below this is final. 0 to 1. */
  readonly safeBelow: number
  /** An unsafe verdict with a score above this is final. 0 to 1, not less than `safeBelow`. */
  readonly unsafeAbove: number
}

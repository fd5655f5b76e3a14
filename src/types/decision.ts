// What the policy decides, and what was not judged.
import type { LlamaGuardError } from './errors.js'
import type { Stage } from './conversation.js'

/** The decision of the policy on the judgements of one stage. It is data only; the response stage carries it out. */
export interface Decision {
  /** `allow` releases. `block` answers 451. `unavailable` answers the status of the error (503, or a client's 4xx). */
  readonly action: 'allow' | 'block' | 'unavailable'
  readonly stage: Stage
  readonly outcome: Outcome
  /** Violated categories with their names, flagged ones included. */
  readonly categories: readonly NamedCategory[]
  readonly error?: LlamaGuardError
  readonly model: string
  /** Milliseconds the stage waited for its slowest judgement. */
  readonly ms: number
}

export interface NamedCategory {
  readonly code: string
  readonly name: string
  /** The guard that named this category, when a panel judged. */
  readonly guard?: string
}

/**
 * Why a stage, or a part of it, was not judged. The set is closed: the values appear in the header and as labels of
 * metrics.
 *
 * - `unknown-body`: a body that is no known chat, let through by the option `unknown`.
 * - `no-body`: a request or response without a body.
 * - `path`: the option `paths` does not name this path.
 * - `stage-off`: the option `check` leaves the stage out.
 * - `skip-hook`: the hook `skip` returned true.
 * - `image`: an image that a text-only model cannot see, with `images: 'ignore'`.
 * - `binary`: bytes that are no text, such as audio.
 * - `empty`: a reply without a word.
 * - `status`: an error reply that carries no model text.
 * - `stored-history`: turns that the vendor keeps and the request only names.
 * - `shadow-sample`: left out of the share of requests that `mode: { shadow }` judges.
 */
export type NotJudgedReason =
  | 'unknown-body'
  | 'no-body'
  | 'path'
  | 'stage-off'
  | 'skip-hook'
  | 'image'
  | 'binary'
  | 'empty'
  | 'status'
  | 'stored-history'
  | 'shadow-sample'

/**
 * What a request, or a part of it, was not judged for: a {@link NotJudgedReason}, or
 *
 * - `error`: it could not be judged, or was refused unread; the event's `code` says why.
 * - `client-left`: the client was gone before the verdict.
 */
export type Unjudged = NotJudgedReason | 'error' | 'client-left'

/** How often one thing was not judged. */
export interface NotJudged {
  readonly what: Unjudged
  /** Stages or parts: two ignored images count 2. */
  readonly count: number
}

/** One member of the `Llama-Guard` response header. */
export interface Outcome {
  readonly state: 'safe' | 'unsafe' | 'unjudged' | 'skipped'
  /** The error code, when the state is `unjudged`. */
  readonly code?: string
  /** Why nothing was judged, when the state is `skipped`. */
  readonly why?: NotJudgedReason
  readonly score?: number
  readonly cached?: boolean
  /** Name of the guard that judged, when it was not the first choice. */
  readonly by?: string
}

// What a guard is: what it is asked, what it answers, and the categories of its policy.
import type { LlamaGuardError } from './errors.js'
import type { Conversation, Role, Stage } from './conversation.js'

/** The verdict of a guard model. When there is no verdict, the result is a {@link LlamaGuardError}. */
export interface Verdict {
  readonly safe: boolean
  /**
   * Ids of the violated categories that the policy knows, for example `["O3"]`. Empty when safe, or when the
   * model named none.
   */
  readonly categories: readonly string[]
  /**
   * Category ids that the model named and the policy does not know. They block, because an unknown hazard is still a
   * hazard.
   */
  readonly unknown?: readonly string[]
  /**
   * True when the answer hit its token limit. The category list may then be cut (`S1` for `S14`), so no category
   * action makes it lenient.
   */
  readonly truncated?: boolean
  /** Probability of "unsafe", 0 to 1, when the backend gives token log probabilities. */
  readonly score?: number
  /** Probability of each category, 0 to 1, when the guard gives one for each. */
  readonly categoryScores?: Readonly<Record<string, number>>
  /** Name of the guard that gave this verdict, when several could have. */
  readonly judgedBy?: string
  /** Name of the guard that named each category, by category id, when a panel judged. */
  readonly namedBy?: Readonly<Record<string, string>>
  /** Number of calls for this verdict, retries included. */
  readonly attempts?: number
  /** Tokens the guard model read and wrote, when the backend counts them. */
  readonly tokens?: { readonly input?: number; readonly output?: number }
  /** True when the verdict was remembered and no guard was asked. */
  readonly cached?: boolean
}

export interface JudgeOptions {
  /**
   * Aborted when the deadline of the judgement passes or nobody waits for it any more. Read it by name, as in
   * `judge(conversation, { signal })`: it is created on first use, and a spread of the options would not copy it.
   */
  readonly signal?: AbortSignal
  /** The stage, for guards that treat input and output differently. */
  readonly stage?: Stage
}

/**
 * An object that can judge a conversation. Throw (ideally a {@link LlamaGuardError}) when it cannot, and never guess
 * "safe".
 */
export interface Guard {
  /** The name in logs and error bodies, as `model`. Default: `"custom"`. */
  readonly model?: string
  /** Separates this guard's entries in the verdict cache: endpoint, URL, policy. Default: unique to the object. */
  readonly identity?: string
  /** True when the guard reads images. Default: false. */
  readonly vision?: boolean
  /**
   * The roles whose turns this guard judges. A panel asks it about those alone. A guard that judges one role only
   * must be part of a panel. Default: both.
   */
  readonly judges?: readonly Role[]
  /** True when every verdict has a score. The first guard of a cascade needs it. Default: false. */
  readonly scored?: boolean
  /** Ids and names of the categories that this guard may answer with. */
  readonly categories?: readonly Category[]
  /**
   * Splits a conversation that does not fit the guard's context into pieces that fit. One unsafe piece makes the
   * conversation unsafe. Default: one piece.
   */
  fit?(conversation: Conversation): readonly Conversation[]
  judge(conversation: Conversation, options: JudgeOptions): Promise<Verdict>
  /** Frees sockets and models. Called once, when the middleware is closed. */
  close?(): void | Promise<void>
}

/** A guard that this package made. */
export interface CreatedGuard extends Guard {
  judge(conversation: Conversation, options?: JudgeOptions): Promise<Verdict>
}

/**
 * The action when the guard names a category: `block` answers 451, `flag` lets the text pass and reports the
 * category, `ignore` treats it as safe.
 */
export type CategoryAction = 'block' | 'flag' | 'ignore'

/** One hazard category of the policy. */
export interface Category {
  /** The id that the model answers with: `O3`, `S12`, or your own of one letter and a number. */
  readonly id: string
  /** The short name in the prompt and in 451 bodies. */
  readonly name: string
  /** Plain text that is printed under the name. It replaces `shouldNot`, `can` and `should`. */
  readonly description?: string
  readonly shouldNot?: readonly string[]
  readonly can?: readonly string[]
  readonly should?: readonly string[]
  /** What to do when the guard names this category. Default: `block`. */
  readonly action?: CategoryAction
}

/** The verdict of one judgement (all pieces merged), or the error when there is none. */
export type Judgement =
  | { readonly verdict: Verdict; readonly ms: number; readonly model: string }
  | { readonly error: LlamaGuardError; readonly ms: number; readonly model: string }

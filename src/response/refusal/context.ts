// The data that a refusal depends on beside the decision. Types only.
import type { ServerResponse } from 'node:http'
import type { Dialect, RpcCall } from '../../dialects/dialect.js'
import type { Decision, Expose, GuardedRequest, RefusalText } from '../../types.js'

export interface RefusalSettings {
  /** Sent with a block as `Link: <...>; rel="blocked-by"`, RFC 7725 section 3. */
  readonly policyUrl?: string | undefined
  readonly onBlock?: 'error' | 'refusal'
  readonly blockStatus?: number
  readonly refusalText?: RefusalText | undefined
  readonly handler?: ((req: GuardedRequest, res: ServerResponse, decision: Decision) => void) | undefined
  /** What a client is told. */
  readonly expose?: Expose | undefined
}

export interface AskedFor {
  readonly stream: boolean
  readonly model?: string | undefined
  readonly calls?: readonly RpcCall[] | undefined
  /** Empty for a request without words. */
  readonly turns?: readonly unknown[]
}

/** The request that is refused. */
export interface RefusalContext {
  readonly dialect: Pick<Dialect, 'refusal'> & Partial<Dialect>
  readonly requestId: string
  readonly settings: RefusalSettings
  /** The input decision, when the output is refused. */
  readonly input?: Decision | undefined
  readonly req?: GuardedRequest
  /** Called when a function of the operator's threw. */
  tellOperator?(option: string, error: unknown): void
  /** What the client asked for; undefined until the request is read. */
  readonly asked?: AskedFor | undefined
}

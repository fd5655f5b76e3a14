// The request as the middleware and the handler see it, and the words of a refusal to it.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Stage } from './conversation.js'
import type { Decision } from './decision.js'
import type { Logger } from './events.js'

/** What a handler finds on `req.llamaGuard`. */
export interface RequestState {
  readonly requestId: string
  /** Aborted when the reply is blocked or the client has left. Pass it to your call to the model. */
  readonly signal: AbortSignal
  /** The input decision. With `parallel` it is undefined until the check is done. */
  input?: Decision
  /** The output decision; undefined until there is one. */
  output?: Decision
}

declare global {
  // Express merges this interface into the type of its requests, so that `req.llamaGuard` needs no cast in an app.
  namespace Express {
    interface Request {
      /**
       * The decisions of express-llama-guard on this request. Undefined where the middleware is not mounted or lets
       * the request pass.
       */
      llamaGuard?: RequestState
    }
  }
}

/** A call of a tool, as the model or a client asks for it. */
export interface ToolCall {
  readonly name: string
  /** The arguments, as an object; as their text where they are no JSON. */
  readonly arguments: unknown
  /** `output` for the calls of a reply, `input` for those of a client of the Model Context Protocol. */
  readonly stage: Stage
}

export type GuardedRequest = IncomingMessage & {
  body?: unknown
  originalUrl?: string
  llamaGuard?: RequestState
  log?: Logger
  id?: unknown
}
export type Next = (error?: unknown) => void
/**
 * A connect-style middleware. It works with Express 4 and 5, connect and polka, and as `(req, res) => mw(req, res, ()
 * => ...)` with node:http.
 */
export type Middleware = (req: IncomingMessage, res: ServerResponse, next: Next) => void

/**
 * One text, or texts by language tag (`en`, `de`, `pt-BR`). The first is used when the client asks for none of them.
 */
export type TextByLanguage = string | Readonly<Record<string, string>>

/** A text for both stages, a text for each stage, or a function of the decision and the request. */
export type RefusalText =
  TextByLanguage | { readonly [S in Stage]?: TextByLanguage } | ((decision: Decision, req: GuardedRequest) => string)

/** What headers and refusals tell a client, see the option `expose`. */
export type Expose = 'none' | 'verdict' | 'full'

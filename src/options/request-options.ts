// The options that may differ between requests, and the policy, of which a part may.
import type { ServerResponse } from 'node:http'
import type { Category, CategoryAction, Decision, Expose, GuardedRequest, RefusalText, Stage } from '../types.js'

/** The option `policy`, in code or in a JSON file. */
export interface PolicyOptions {
  /**
   * Your own policy: a list of categories, or the text that stands between the category markers, word for word.
   * Default: the model's own taxonomy.
   */
  readonly categories?: string | readonly Category[]
  /** Task line of the prompt, word for word; `{role}` becomes User or Agent. Default: the model's own. */
  readonly task?: string
  /** Closing instruction of the prompt, word for word; `{role}` becomes User or Agent. Default: the model's own. */
  readonly instruction?: string
  /**
   * The action per category id, for example `{ S5: 'flag', S13: 'ignore' }`; `controversial` stands for all of
   * Qwen3Guard-Gen's level of that name. It goes before the `action` of a category. An id that the guard does not have
   * is an error. Default: `block` for every category.
   */
  readonly actions?: Readonly<Record<string, CategoryAction>>
  /**
   * URL of a page about your content policy. Every 451 carries it as `Link: <URL>; rel="blocked-by"` (RFC 7725).
   * Default: none.
   */
  readonly url?: string
}

/** What of a policy may differ between requests. A guard has one prompt, so the rest may not. */
export type RequestPolicy = Pick<PolicyOptions, 'actions' | 'url'>

/** The options that may differ between requests. `override(req)` returns these. */
export interface RequestOptions {
  /** The stages that are judged. The other stage passes as `skipped`. Default: both. */
  check?: readonly Stage[]
  /**
   * `shadow` judges, logs, counts and sets headers, but blocks nothing and refuses nothing. `{ shadow: 0.1 }` does so
   * for that share of requests, 0 to 1; the others pass as `skipped` with the reason `shadow-sample`. The variable
   * says `shadow:0.1`. Default: `enforce`.
   */
  mode?: 'enforce' | 'shadow' | { readonly shadow: number }
  /**
   * What happens when the guard could not judge a request, a reply or a part of a stream. `closed` answers 503.
   * `open` lets it through and says `unjudged` in header, log and metric. A client's own fault (4xx) does not depend
   * on it. Default: `closed`.
   */
  onError?: 'closed' | 'open'
  /**
   * The probability of unsafe, 0 to 1, from which a text counts as unsafe. It needs token log probabilities. An object
   * holds thresholds of single categories by id, for guards that give category scores, and `default` for the whole:
   * `{ default: 0.5, S1: 0.3 }`. Default: none, the model's own word decides.
   */
  threshold?: number | Readonly<Record<string, number>>
  /** Other actions, or another URL, for this request. Parts that are left out stay. Default: those of the guard. */
  policy?: RequestPolicy
  /**
   * Starts the handler at the same time as the input check. Nothing is released before the input verdict and the
   * reply's own verdict. Default: false.
   */
  parallel?: boolean
  /**
   * How a token stream is judged. `window` releases each judged prefix, and the guard's own speed sets the pace.
   * `fixed` does so each `windowMs` or `windowChars`, for guards that are paid by the token. `full` holds the whole
   * reply. `async` releases at once and stops when a check says unsafe, so unjudged text reaches the client. Default:
   * `window`.
   */
  streaming?: 'window' | 'fixed' | 'full' | 'async'
  /** The most characters of new text before the next check of a stream. Default: 400. */
  windowChars?: number
  /** The most milliseconds that text of a stream waits before the next check starts. Default: 1000. */
  windowMs?: number
  /**
   * Which user turns are judged. `last` judges the newest one with the rest as context. `all` judges every one with
   * the turns before it as context. Default: `last`.
   */
  turns?: 'last' | 'all'
  /**
   * What happens to system and developer text. `judge` judges it as a turn of its own. `trust` does not judge it.
   * Default: `judge`.
   */
  system?: 'judge' | 'trust'
  /**
   * What happens to images when the model reads only text. `refuse` answers 400 `unsupported_content`. `ignore`
   * judges the text alone, with the URL of each image. Default: `refuse`.
   */
  images?: 'refuse' | 'ignore'
  /**
   * What happens to a body that is no known chat. `judge` judges every word of it and of the reply. `warn` lets it
   * through with a header, an event and one log line per method and path. `pass` lets it through with the event only.
   * `refuse` answers 400 `unreadable_request`. Default: `judge` where the guard is mounted on a route or `paths`
   * names the path, `warn` elsewhere.
   */
  unknown?: 'judge' | 'warn' | 'pass' | 'refuse'
  /**
   * How a block is answered. `error`: the status `blockStatus` and an error that names the categories. `refusal`: 200
   * and a reply of the client's own API, JSON or stream as requested, in which the model declines with `refusalText`.
   * The `Llama-Guard` header says `unsafe` in both cases. Default: `error`.
   */
  onBlock?: 'error' | 'refusal'
  /**
   * The words of a refusal, and the `message` of an error. It is one text, texts by language (`{ en, de }`, chosen by
   * Accept-Language), either of these by stage (`{ input, output }`), or a function of the decision and the request.
   * Default: a neutral sentence for refusals, and the names of the categories for errors.
   */
  refusalText?: RefusalText
  /**
   * The status of a block with `onBlock: 'error'`, 400 to 499. Change it for clients that retry unknown statuses:
   * LangChain retries 451 but not 400. Default: 451.
   */
  blockStatus?: number
  /**
   * Answers a block in place of the guard, where no byte of a reply has left: `(req, res, decision) => res.status(451)
   * .json(...)`. It has to end its answer before it returns; where it throws or does not, the client gets the guard's
   * own. Default: an error with `blockStatus`.
   */
  handler?(req: GuardedRequest, res: ServerResponse, decision: Decision): void
  /**
   * What headers and refusals tell a client. `verdict`: stage, verdict, categories and codes. `full`: scores, models
   * and timings too, which tell whoever probes the guard how near a text came. `none`: no header, and no more than the
   * status says. Default: `verdict`.
   */
  expose?: Expose
}

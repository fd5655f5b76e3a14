// Chooses the words that a user reads instead of a blocked text: by stage, and by the language the client asked for.
import type { IncomingMessage } from 'node:http'
import Negotiator from 'negotiator'
import type { Decision, GuardedRequest, RefusalText, Stage, TextByLanguage } from '../../types.js'

/** Neutral: it names no rule and blames nobody. */
export const DEFAULT_REFUSAL = 'Sorry, I can’t help with that.'

/** The text for this decision and client; undefined when the option gives none for the stage. */
export function refusalText(
  option: RefusalText | undefined,
  decision: Decision,
  req: GuardedRequest | undefined,
): string | undefined {
  if (option === undefined) return undefined
  if (typeof option === 'function') return req === undefined ? undefined : fromFunction(option, decision, req)
  if (typeof option === 'string') return option
  const texts = isByStage(option) ? option[decision.stage] : option
  return texts === undefined || typeof texts === 'string' ? texts : inLanguage(texts, req)
}

/** When the operator's function throws, the client still gets a refusal. */
function fromFunction(
  option: (decision: Decision, req: GuardedRequest) => string,
  decision: Decision,
  req: GuardedRequest,
): string | undefined {
  try {
    const text: unknown = option(decision, req)
    return typeof text === 'string' && text !== '' ? text : undefined
  } catch {
    return undefined
  }
}

function isByStage(option: object): option is { readonly [S in Stage]?: TextByLanguage } {
  return 'input' in option || 'output' in option
}

function inLanguage(texts: Readonly<Record<string, string>>, req: IncomingMessage | undefined): string | undefined {
  const tags = Object.keys(texts)
  const [first] = tags
  const wanted = req?.headers['accept-language'] === undefined ? undefined : new Negotiator(req).language(tags)
  const tag = wanted ?? first
  return tag === undefined ? undefined : texts[tag]
}

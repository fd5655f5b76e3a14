// Chooses the words that a user reads instead of a blocked text: by stage, and by the language the client asked for.
import type { IncomingMessage } from 'node:http'
import Negotiator from 'negotiator'
import type { Decision, Stage, TextByLanguage } from '../../types.js'
import type { RefusalContext } from './context.js'

/** Neutral: it names no rule and blames nobody. */
export const DEFAULT_REFUSAL = 'Sorry, I can’t help with that.'

/** The text for this decision and client; undefined when the option gives none for the stage. */
export function refusalText(decision: Decision, context: RefusalContext): string | undefined {
  const { settings, req } = context
  const option = settings.refusalText
  if (option === undefined) return undefined
  if (typeof option === 'function') {
    if (req === undefined) return undefined
    try {
      const text: unknown = option(decision, req)
      return typeof text === 'string' && text !== '' ? text : undefined
    } catch (error) {
      // The client still gets a refusal.
      context.tellOperator?.('refusalText', error)
      return undefined
    }
  }
  if (typeof option === 'string') return option
  const texts = isByStage(option) ? option[decision.stage] : option
  return texts === undefined || typeof texts === 'string' ? texts : inLanguage(texts, req)
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

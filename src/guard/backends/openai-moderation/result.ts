// Reads the answer of OpenAI's moderation endpoint. Anything but one complete result is an error, and one that
// contradicts itself is unsafe.
import { LlamaGuardError } from '../../../errors.js'
import type { Category, Verdict } from '../../../types.js'
import { isObject } from '../../../utils/json.js'

/** The categories of omni-moderation. Their ids are OpenAI's own names. */
export const CATEGORIES: readonly Category[] = [
  ['harassment', 'Harassment'],
  ['harassment/threatening', 'Threatening Harassment'],
  ['hate', 'Hate'],
  ['hate/threatening', 'Threatening Hate'],
  ['illicit', 'Illicit Behaviour'],
  ['illicit/violent', 'Violent Illicit Behaviour'],
  ['self-harm', 'Self-Harm'],
  ['self-harm/intent', 'Intent of Self-Harm'],
  ['self-harm/instructions', 'Instructions for Self-Harm'],
  ['sexual', 'Sexual Content'],
  ['sexual/minors', 'Sexual Content with Minors'],
  ['violence', 'Violence'],
  ['violence/graphic', 'Graphic Violence'],
].map(([id = '', name = '']) => ({ id, name }))

const KNOWN = new Set(CATEGORIES.map(({ id }) => id))

/** @throws LlamaGuardError `unparseable_verdict` for anything but one result with flags and scores. */
export function readModeration(body: unknown): Verdict {
  const results = isObject(body) ? body['results'] : undefined
  const result: unknown = Array.isArray(results) && results.length === 1 ? results[0] : undefined
  const { flagged, categories, category_scores: scores } = isObject(result) ? result : {}
  if (typeof flagged !== 'boolean' || !isObject(categories) || !isObject(scores)) throw unparseable()
  // Models before omni leave categories of theirs null.
  const known = Object.entries(scores).filter(([id, score]) => KNOWN.has(id) && score !== null)
  if (known.length === 0 || !known.every(([, score]) => typeof score === 'number' && score >= 0 && score <= 1))
    throw unparseable()
  const violated = Object.keys(categories).filter((id) => categories[id] === true)
  const named = violated.filter((id) => KNOWN.has(id))
  const safe = !flagged && violated.length === 0
  return {
    safe,
    categories: safe ? [] : named,
    score: Math.max(...known.map(([, score]) => score as number)),
    categoryScores: Object.fromEntries(known) as Record<string, number>,
  }
}

const unparseable = (): LlamaGuardError =>
  new LlamaGuardError(
    'unparseable_verdict',
    'The moderation endpoint answered no result with flags and scores. Check LLAMA_GUARD_URL and LLAMA_GUARD_MODEL_ID.',
  )

// OpenAI's moderation endpoint as a guard (omni-moderation): text and images, no model of one's own. It needs no client
// library. Anything but one complete result is an error, and one that contradicts itself is unsafe.
// Source: OpenAI's API reference, Moderations, and the types of the package openai.
import type { Category, Guard, Turn, Verdict } from '../../types.js'
import { type LlamaGuardError, unparseableVerdict } from '../../types/errors.js'
import { isObject } from '../../utils/json.js'
import { jsonClient } from './json-client.js'
import { turnGuard } from './turn-guard.js'

export interface OpenAiModerationOptions {
  /** Base URL. */
  readonly url: string
  readonly apiKey: string
  /** The moderation model's name. */
  readonly model: string
  readonly concurrency: number
  /** Milliseconds one call may take. */
  readonly timeoutMs: number
}

/** Scores of long texts are diluted, so they are judged in windows. */
const WINDOW_TOKENS = 2000
/** One image a request. */
const IMAGES = 1

/** @throws LlamaGuardError `invalid_option` at once for a URL or key that cannot work. */
export function openAiModeration({ model, ...server }: OpenAiModerationOptions): Guard {
  const { post, close, address } = jsonClient({ ...server, route: '/moderations' })
  return turnGuard({
    model,
    identity: JSON.stringify(['openai-moderation', address, model]),
    categories: CATEGORIES,
    scored: true,
    windowTokens: WINDOW_TOKENS,
    images: IMAGES,
    ask: async (turn, signal) => readModeration(await post({ model, input: inputOf(turn) }, signal)),
    close,
  })
}

function inputOf({ text, images = [] }: Turn): readonly object[] {
  const pictures = images.map(({ url }) => ({ type: 'image_url', image_url: { url } }))
  return text.trim() === '' && pictures.length > 0 ? pictures : [{ type: 'text', text }, ...pictures]
}

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
  unparseableVerdict(
    'The moderation endpoint answered no result with flags and scores. Check LLAMA_GUARD_URL and LLAMA_GUARD_MODEL_ID.',
  )

// OpenAI's moderation endpoint as a guard (omni-moderation): text and images, no model of one's own. It needs no client
// library. Source: OpenAI's API reference, Moderations, and the types of the package openai.
import type { Guard, Turn } from '../../../types.js'
import { jsonClient } from '../json-client.js'
import { turnGuard } from '../turn-guard.js'
import { CATEGORIES, readModeration } from './result.js'

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

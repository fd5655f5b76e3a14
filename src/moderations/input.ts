// Reads the inputs of a moderation request. An input that is not fully understood is a 400, because a skipped input
// would be reported as safe.
import { jsonOf } from '../request/body/index.js'
import type { ReadBody } from '../request/body/parse.js'
import { LlamaGuardError } from '../errors.js'
import type { Image, Turn } from '../types.js'
import { isObject } from '../utils/json.js'

export interface ModerationInput {
  readonly turn: Turn
  /** The kinds of parts in the input, in OpenAI's words. */
  readonly types: readonly ('text' | 'image')[]
}

/** The most inputs of one request, so that a request cannot cause thousands of guard calls. */
const MAX_INPUTS = 64
const HOW =
  'Send {"input": "text"}, a list of texts, or a list of parts {"type": "text", "text": "..."} and ' +
  '{"type": "image_url", "image_url": {"url": "..."}}.'

/** @throws LlamaGuardError with a 4xx code for a body that cannot be read. */
export function inputsOf(body: ReadBody, vision: boolean): readonly ModerationInput[] {
  const value = jsonOf(body)
  if (value === undefined) throw unreadable('no JSON body')
  const input: unknown = isObject(value) ? value['input'] : undefined
  const list: unknown[] = Array.isArray(input) ? input : [input]
  if (list.length === 0) throw unreadable('an empty list')
  if (list.length > MAX_INPUTS) throw unreadable(`${list.length} inputs, more than ${MAX_INPUTS}`)
  if (list.every((item) => typeof item === 'string')) return list.map((text) => toInput(text, []))
  const parts = list.map(readPart)
  const images = parts.flatMap((part) => (typeof part === 'string' ? [] : part))
  if (images.length > 0 && !vision)
    throw new LlamaGuardError(
      'unsupported_content',
      'The input holds an image, and the guard model reads text alone. Send text, or run a Llama Guard ' +
        'that reads images.',
    )
  return [toInput(parts.filter((part) => typeof part === 'string').join('\n'), images)]
}

function readPart(part: unknown): string | Image {
  if (isObject(part) && part['type'] === 'text' && typeof part['text'] === 'string') return part['text']
  const image = isObject(part) && part['type'] === 'image_url' ? part['image_url'] : undefined
  if (isObject(image) && typeof image['url'] === 'string' && image['url'] !== '') return { url: image['url'] }
  throw unreadable('a part of an unknown shape')
}

function toInput(text: string, images: readonly Image[]): ModerationInput {
  // A guard that is shown an empty conversation calls it safe, which would say nothing about the input.
  if (text.trim() === '' && images.length === 0) throw unreadable('an input without text')
  const types = [...(text.trim() === '' ? [] : ['text' as const]), ...(images.length > 0 ? ['image' as const] : [])]
  return { turn: { role: 'User', text, ...(images.length > 0 && { images }) }, types }
}

function unreadable(what: string): LlamaGuardError {
  return new LlamaGuardError('unreadable_request', `The moderation request holds ${what}. ${HOW}`)
}

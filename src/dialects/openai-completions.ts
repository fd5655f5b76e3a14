// OpenAI's legacy Completions: `/completions`, a bare prompt in, `choices[].text` out.
// https://platform.openai.com/docs/api-reference/completions
import type { Dialect } from './dialect.js'
import { unreadable } from './kit/media.js'
import { tell } from './kit/messages.js'
import { readParameters } from './kit/parameters.js'
import { readContent } from './kit/parts.js'
import { openaiRefusal } from './kit/refusals.js'
import { RequestBuilder, wantsStream } from './kit/request-builder.js'
import { RequestWalker } from './kit/request-walker.js'
import { openaiStream } from './openai-choices-stream.js'
import { declinedChoice, readChoices } from './openai-choices.js'

const READ = new Set(['prompt', 'suffix'])

export const openaiCompletions: Dialect = {
  name: 'openai-completions',
  paths: ['/completions'],
  framing: 'sse',
  claims: ({ prompt }) => typeof prompt === 'string' || Array.isArray(prompt),
  request(body) {
    const walker = new RequestWalker(body)
    const builder = new RequestBuilder()
    // Several prompts are judged as one text, because one request gets one reply: an unsafe prompt refuses the whole
    // request.
    for (const text of [...prompts(body.prompt), ...suffix(body.suffix)])
      tell(builder, 'user', readContent(walker, text))
    readParameters(body, READ, walker, builder)
    return builder.build(wantsStream(body.stream), body.model)
  },
  reply: readChoices,
  stream: () =>
    openaiStream({
      object: 'text_completion',
      channel: 'text',
      empty: { text: '', logprobs: null },
      idPrefix: 'cmpl',
      says: (text) => ({ text, logprobs: null }),
    }),
  refusal: (refusal) => openaiRefusal(refusal, { input: 'prompt', output: 'choices' }),
  decline: (declined) =>
    declinedChoice(declined, 'text_completion', 'cmpl-llama-guard', {
      text: declined.words,
      finish_reason: 'content_filter',
    }),
}

function prompts(prompt: unknown): readonly string[] {
  if (typeof prompt === 'string') return [prompt]
  if (Array.isArray(prompt) && prompt.length > 0 && prompt.every((item) => typeof item === 'string')) return prompt
  // Token ids are text too, but the guard lacks the tokenizer.
  throw unreadable('`prompt` is neither text nor a list of texts (token ids cannot be judged)')
}

function suffix(value: unknown): readonly string[] {
  if (value === undefined || value === null) return []
  if (typeof value === 'string') return [value]
  throw unreadable('`suffix` is not text')
}

// OpenAI's legacy Completions: `/completions`, a bare prompt in, `choices[].text` out.
// https://platform.openai.com/docs/api-reference/completions
import type { Dialect } from './dialect.js'
import { claiming, readRequest } from './kit/read-request.js'
import { openaiRefusal } from './kit/refusals.js'
import { declinedChoice, hasChoices, openaiStream, readChoices } from './openai-chat.js'

export const openaiCompletions: Dialect = {
  name: 'openai-completions',
  paths: ['/v1/completions', '/openai/deployments/*/completions', '/api/v1/completions', '/v1/fim/completions'],
  // The first event of Azure has no choices, and the one of a chat begins alike.
  answers: (data) => hasChoices(data, (choice) => !('delta' in choice)),
  claims: claiming({ '~prompt': 'words' }, { '~suffix': 'text' }),
  request: (body) => readRequest({ fields: { prompt: 'prompt', suffix: 'prompt' } }, body),
  reply: readChoices,
  stream: (_calls, media) =>
    openaiStream(
      {
        object: 'text_completion',
        words: /^text$/,
        empty: { text: '', logprobs: null },
        idPrefix: 'cmpl',
        says: (text) => ({ text, logprobs: null }),
      },
      media,
    ),
  refusal: (refusal) => openaiRefusal(refusal, { input: 'prompt', output: 'choices' }),
  decline: (declined) =>
    declinedChoice(declined, 'text_completion', 'cmpl-llama-guard', {
      text: declined.words,
      finish_reason: 'content_filter',
    }),
}

// OpenAI's generation parameters in a container's words, and what is refused.
import { expect, test } from 'vitest'
import { generationParameters } from '../../../src/upstream/sagemaker/llama-2.js'

const ALWAYS = { return_full_text: false, details: true }
const ARTICLE = {
  max_length: 200,
  max_new_tokens: 100,
  num_beams: 2,
  no_repeat_ngram_size: 3,
  early_stopping: true,
  do_sample: true,
  top_k: 50,
  return_full_text: true,
}

test.each([
  ['nothing', {}, {}],
  ['null values', { temperature: null, max_tokens: null, stop: null, n: null }, {}],
  ['max_tokens', { max_tokens: 128 }, { max_new_tokens: 128 }],
  ['max_completion_tokens over max_tokens', { max_completion_tokens: 64, max_tokens: 128 }, { max_new_tokens: 64 }],
  ['temperature 0', { temperature: 0, top_p: 0.9, top_k: 5 }, { do_sample: false }],
  ['a temperature', { temperature: 0.6 }, { temperature: 0.6, do_sample: true }],
  ['a top_p', { top_p: 0.9 }, { top_p: 0.9, do_sample: true }],
  ['a top_p of 1', { top_p: 1 }, {}],
  ['do_sample: false with a top_p', { do_sample: false, top_p: 0.5 }, { do_sample: false }],
  ['values that the container refuses', { top_k: 1.5, stop: [1] }, { top_k: 1.5, stop: [1] }],
  ['a stop string', { stop: 'END' }, { stop: ['END'] }],
  ['stop strings', { stop: ['a', 'b'] }, { stop: ['a', 'b'] }],
  [
    'a seed and penalties',
    { seed: 7, frequency_penalty: 0.5, presence_penalty: -0.5 },
    { seed: 7, frequency_penalty: 0.5, presence_penalty: -0.5 },
  ],
  ["the article's own parameters", ARTICLE, ARTICLE],
])('%s becomes what the container reads', (_, body, parameters) => {
  expect(generationParameters(body).parameters).toEqual({ ...ALWAYS, ...parameters })
})

test.each([
  [{ n: 2 }, 'unsupported_content', /^n is not supported/],
  [{ tools: [{}] }, 'unsupported_content', /^tools is not/],
  [{ logprobs: true }, 'unsupported_content', /^logprobs is not/],
  [{ response_format: { type: 'json_object' } }, 'unsupported_content', /^response_format is not/],
])('%o is refused with the name of the parameter', (body, code, message) => {
  expect(() => generationParameters(body)).toThrowError(
    expect.objectContaining({ code, status: 400, message: expect.stringMatching(message) }) as Error,
  )
})

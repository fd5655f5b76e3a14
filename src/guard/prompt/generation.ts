// How a container is told to generate a verdict: the `parameters` beside a raw prompt, the same for one call, a
// stream, a probe and a batch.
import { GENERATED_TOKENS } from './fit.js'

/**
 * `do_sample: false` is greedy everywhere. No `temperature`: TGI refuses 0. No `truncate`: it cuts the policy off. No
 * `top_n_tokens`: current LMI reads it as the number of answers. TGI echoes the prompt unless `return_full_text` is
 * false.
 *
 * @param maxNewTokens Most tokens of an answer. Default: 32, enough for `unsafe` and eight codes; a shorter limit cuts
 * `S14` to `S1`.
 */
export const generation = (maxNewTokens = GENERATED_TOKENS): Readonly<Record<string, number | boolean>> => ({
  max_new_tokens: maxNewTokens,
  do_sample: false,
  return_full_text: false,
  details: true,
})

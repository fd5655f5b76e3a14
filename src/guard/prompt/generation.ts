// The generation parameters that a container gets beside a raw prompt. They are the same for a call, a stream, a
// probe and a batch.
import { GENERATED_TOKENS } from './fit.js'

/**
 * The parameters. `do_sample: false` is greedy on every server. No `temperature`: TGI refuses 0. No `truncate`: it
 * cuts the policy off. No `top_n_tokens`: current LMI reads it as the number of answers. TGI echoes the prompt unless
 * `return_full_text` is false.
 * @param maxNewTokens The most tokens of an answer. Default: 32, enough for `unsafe` and eight codes. A lower limit
 * cuts `S14` to `S1`.
 */
export const generation = (maxNewTokens = GENERATED_TOKENS): Readonly<Record<string, number | boolean>> => ({
  max_new_tokens: maxNewTokens,
  do_sample: false,
  return_full_text: false,
  details: true,
})

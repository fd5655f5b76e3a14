// The two forms in which serving containers take a raw prompt: `inputs` with `parameters` (TGI, LMI), and OpenAI's text
// completions (vLLM's own image). An endpoint tells its form only by refusing the other one, so the form that it
// understood last is used, and the other one after such a refusal.
import { isLlamaGuardError } from '../../../errors.js'
import { generation } from '../../prompt/generation.js'
import { GENERATED_TOKENS } from '../../prompt/fit.js'
import { toGuardError } from './errors.js'

export interface Form {
  /** The JSON text of a request. */
  body(prompt: string, options: { readonly maxNewTokens: number | undefined; readonly stream: boolean }): string
  /** The value of the header `X-Amzn-SageMaker-Custom-Attributes`, by which vLLM's image picks its route. */
  readonly attributes: string | undefined
  /** True for an error by which the endpoint says that it wants the other form. */
  refused(error: unknown): boolean
}

/** Five alternatives hold both deciding words. */
const TOP = 5
/** What vLLM says of a body that is none of its APIs' requests. */
const NO_HANDLER = /Cannot find suitable handler for request/

export const INPUTS: Form = {
  body: (prompt, { maxNewTokens, stream }) =>
    JSON.stringify({ inputs: prompt, parameters: generation(maxNewTokens), ...(stream && { stream }) }),
  attributes: undefined,
  refused: (error) => {
    const { name, OriginalMessage: words } = (error ?? {}) as { name?: unknown; OriginalMessage?: unknown }
    return name === 'ModelError' && NO_HANDLER.test(String(words).slice(0, 200))
  },
}

export const COMPLETIONS: Form = {
  // No `model`: vLLM takes the one it serves.
  body: (prompt, { maxNewTokens = GENERATED_TOKENS, stream }) =>
    JSON.stringify({ prompt, max_tokens: maxNewTokens, temperature: 0, logprobs: TOP, ...(stream && { stream }) }),
  attributes: 'route=/v1/completions',
  refused: (error) => {
    const { code } = toGuardError(error)
    return code === 'guard_rejected' && (error as { name?: unknown }).name === 'ModelError'
  },
}

/**
 * Calls an endpoint in the form that it understood last, and once more in the other form when it refuses that one. The
 * form is kept when the endpoint has understood it.
 */
export function inItsForm(): <T>(call: (form: Form) => Promise<T>) => Promise<T> {
  let current = INPUTS
  return async (call) => {
    const form = current
    try {
      return await call(form)
    } catch (error) {
      if (isLlamaGuardError(error) || !form.refused(error)) throw error
      const other = form === INPUTS ? COMPLETIONS : INPUTS
      const answer = await call(other).catch((second: unknown) => {
        throw other.refused(second) ? error : second
      })
      current = other
      return answer
    }
  }
}

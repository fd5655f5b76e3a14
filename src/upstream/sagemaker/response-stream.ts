// Reads lines from InvokeEndpointWithResponseStream. SageMaker splits the container's bytes anywhere, inside lines
// and inside characters.
import type { ResponseStream } from '@aws-sdk/client-sagemaker-runtime'
import { LlamaGuardError } from '../../errors.js'

/** Far longer than the line of any token. A container that never ends a line must not fill the memory. */
const MAX_LINE_CHARS = 1_048_576

/**
 * The JSON text of each event: the `data:` lines of TGI and vLLM, the bare JSON lines of LMI. Empty lines, comments
 * and `[DONE]` carry none.
 */
export async function* eventJson(stream: AsyncIterable<ResponseStream>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const event of stream) {
    if (event.ModelStreamError)
      throw broken(`the model container broke off (${event.ModelStreamError.ErrorCode ?? 'no code'})`)
    if (event.InternalStreamFailure) throw broken('SageMaker broke off')
    rest += decoder.decode(event.PayloadPart?.Bytes, { stream: true })
    const lines = rest.split('\n')
    rest = lines.pop() ?? ''
    if (rest.length > MAX_LINE_CHARS) throw broken('the container sent a line without end')
    for (const line of lines) yield* payload(line)
  }
  yield* payload(rest + decoder.decode())
}

function* payload(line: string): Generator<string> {
  const text = line.trim()
  const data = text.startsWith('data:') ? text.slice('data:'.length).trim() : text
  if (data.startsWith('{') || data.startsWith('[{')) yield data
  else if (data !== '' && data !== '[DONE]' && !/^(:|event:|id:|retry:)/.test(data))
    throw broken('the container sent a line that is no JSON')
}

function broken(what: string): LlamaGuardError {
  return new LlamaGuardError('upstream_unavailable', `The chat endpoint's stream failed: ${what}.`)
}

// Reads the verdict from the first word of a response stream (InvokeEndpointWithResponseStream): "safe" is final
// before the model has finished writing. "unsafe" is read to its end, because the categories come after it.
import type { ResponseStream } from '@aws-sdk/client-sagemaker-runtime'
import { LlamaGuardError } from '../../../errors.js'
import { NOBODY_WAITS, within } from '../../deadline.js'
import type { Complete, Completion } from '../../answer/completion.js'
import { createLineReader, readStreamEvent } from '../../answer/completion-stream.js'
import { loadSdk } from '../../../utils/load-sdk.js'
import type { SageMakerComplete, SageMakerOptions } from './index.js'
import { toGuardError } from './errors.js'
import { inItsForm } from './forms.js'

/** White space before the word: Llama Guard 3 writes two line breaks, Llama Guard 1 a space. */
const LEADING = /^[ \t\r\n]+/
/**
 * Milliseconds to read the rest of a stream after its verdict is known. A stream that was read to its end leaves the
 * socket usable.
 */
const DRAIN_MS = 2000

/**
 * Like `sagemakerComplete`, but answers as soon as the text so far is exactly `safe`. What the model would have
 * written after it is not read. Use it with real Llama Guard models only: their first word is the verdict, because
 * the model cards define the score on it.
 */
export function sagemakerStreamComplete(o: SageMakerOptions): SageMakerComplete {
  // stream-client.ts brings the AWS SDK, which loads beside the app's own start instead of before it.
  const loading = loadSdk()
    .then(() => import('./stream-client.js'))
    .then(({ createStreamClient }) => createStreamClient(o))
  // A failure to load is the failure of every call.
  loading.catch(() => undefined)
  const inForm = inItsForm()
  const { maxNewTokens } = o

  const complete: Complete = (prompt, { signal }) => {
    // The call has a signal of its own. The signal of `within` aborts once the verdict is known, and would cut the
    // rest of the stream and close the socket.
    const call = new AbortController()
    return within({ ms: o.timeoutMs, late: tooLate(o.timeoutMs), signal }, async (inner) => {
      const cancel = (): void => call.abort(NOBODY_WAITS)
      inner.addEventListener('abort', cancel, { once: true })
      try {
        const client = await loading
        const stream = await inForm((form) =>
          client.open(form.body(prompt, { maxNewTokens, stream: true }), form.attributes, call.signal),
        )
        return await decide(stream, () => inner.removeEventListener('abort', cancel), call)
      } catch (error) {
        call.abort(NOBODY_WAITS)
        throw streamError(error) ?? toGuardError(error)
      }
    })
  }
  return Object.assign(complete, {
    check: () => loading.then((client) => client.check()).catch(fail),
    close: () =>
      void loading.then(
        (client) => client.close(),
        () => undefined,
      ),
    identity: JSON.stringify([
      'sagemaker-stream',
      process.env['AWS_REGION'] ?? null,
      o.endpoint,
      o.inferenceComponent ?? null,
      o.targetVariant ?? null,
    ]),
  })
}

function fail(error: unknown): never {
  throw toGuardError(error)
}

async function decide(
  stream: AsyncIterable<ResponseStream> | [],
  decided: () => void,
  call: AbortController,
): Promise<Completion> {
  const parts = (async function* () {
    yield* stream
  })()
  const lines = createLineReader()
  const tokens: NonNullable<Completion['tokens']>[number][] = []
  let scored = true
  let text = ''
  let finishReason: string | undefined
  const answer = (): Completion => ({
    text,
    ...(finishReason !== undefined && { finishReason }),
    ...(scored && tokens.length > 0 && { tokens }),
  })
  const take = (line: string): boolean => {
    const event = readStreamEvent(line)
    if (event.text !== '') {
      text += event.text
      tokens.push(...(event.tokens ?? []))
      scored &&= event.tokens !== undefined
    }
    finishReason ??= event.finishReason
    return text.replace(LEADING, '') === 'safe'
  }
  for (let part = await parts.next(); !part.done; part = await parts.next()) {
    for (const line of lines.push(bytesOf(part.value))) {
      if (!take(line)) continue
      decided()
      void drain(parts, call)
      return answer()
    }
  }
  for (const line of lines.end()) take(line)
  return answer()
}

/** Our client turns failures inside the stream into exceptions. The caller's own client may deliver them as events. */
function bytesOf(part: ResponseStream): Uint8Array {
  if (part.PayloadPart) return part.PayloadPart.Bytes ?? new Uint8Array()
  throw (
    part.ModelStreamError ??
    part.InternalStreamFailure ??
    new LlamaGuardError('guard_error', 'The guard endpoint sent a stream event of an unknown kind.')
  )
}

async function drain(parts: AsyncGenerator<ResponseStream>, call: AbortController): Promise<void> {
  const timer = setTimeout(() => call.abort(NOBODY_WAITS), DRAIN_MS)
  timer.unref()
  try {
    for (let part = await parts.next(); !part.done; part = await parts.next());
  } catch {
    // The verdict is already returned, so an error after it changes nothing.
  } finally {
    clearTimeout(timer)
  }
}

/** Maps a failure that comes inside the stream. Its message may quote the conversation and is dropped. */
function streamError(error: unknown): LlamaGuardError | undefined {
  const { name, ErrorCode: code } = (error ?? {}) as { name?: unknown; ErrorCode?: unknown }
  if (name === 'InternalStreamFailure')
    return new LlamaGuardError('guard_error', 'SageMaker failed while the guard was answering.', { retryable: true })
  if (name !== 'ModelStreamError') return undefined
  if (code === 'ModelInvocationTimeExceeded')
    return new LlamaGuardError('guard_timeout', 'The guard model took longer than SageMaker allows.', {
      retryable: true,
    })
  return new LlamaGuardError(
    'guard_error',
    'The guard container broke off its answer. See the CloudWatch log of the endpoint.',
    { retryable: true },
  )
}

function tooLate(ms: number): () => LlamaGuardError {
  return () =>
    new LlamaGuardError('guard_timeout', `The guard endpoint did not answer within ${ms} ms.`, { retryable: true })
}

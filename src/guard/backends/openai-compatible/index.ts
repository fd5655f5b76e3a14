// A Llama Guard model behind any server with OpenAI's text completions: vLLM, SGLang, Text Generation Inference,
// llama.cpp. Prompts are sent raw, because a chat route would wrap our prompt in the guard's template a second time.
import type { Dispatcher } from 'undici'
import { LlamaGuardError } from '../../../errors.js'
import { within } from '../../deadline.js'
import { readCompletion } from '../../answer/completion.js'
import type { Complete, Completion } from '../../answer/completion.js'
import { traceparent } from '../../../utils/active-trace.js'
import { lazyPool } from '../../../utils/lazy-pool.js'
import { connectionError, statusError, unreadable } from './errors.js'

export interface OpenAiCompatibleOptions {
  /** Base URL, for example `http://localhost:8000/v1`; `/completions` is added. Redirects are not followed. */
  readonly url: string
  /** Sent as a bearer token. Never logged, never part of an error. */
  readonly apiKey?: string | undefined
  /** The name by which the server knows the model. vLLM works without it; most other servers need it. */
  readonly model?: string | undefined
  /** Milliseconds one call may take, answer included. A later answer is `guard_timeout`. */
  readonly timeoutMs: number
  /** The most sockets kept open. */
  readonly concurrency: number
  /** The most tokens of an answer. Default: 32. */
  readonly maxNewTokens?: number
}

/**
 * Five alternatives hold both deciding words; the score is p(unsafe) / (p(unsafe) + p(safe)). vLLM's own limit is 5
 * as well.
 */
const TOP = 5
const CONNECT_MS = 3000
const MAX_ANSWER_BYTES = 2 * 1024 * 1024

export type OpenAiCompatibleComplete = Complete & {
  /** Closes the sockets. */
  close(): Promise<void>
  /** The name of this server and model in a cache key. */
  readonly identity: string
}

/**
 * Completes raw prompts with `POST {url}/completions` (vLLM, SGLang, TGI from 2.0, llama.cpp's server, LiteLLM in
 * front of them).
 * There is no chat form. The guard's chat template renders a conversation right only on vLLM, and only where its
 * message parts reach the template as parts. TGI and LMI flatten the parts, so that Llama Guard 3 1B, 11B Vision and
 * 4 see an empty conversation and call it safe. Ollama wraps completions in the model's template too: give it a model
 * made with `TEMPLATE {{ .Prompt }}`.
 * @throws LlamaGuardError `invalid_option` at once for a URL or key that cannot work. A call rejects with a `guard_*`
 * code for everything that goes wrong.
 */
export function openAiCompatibleComplete(o: OpenAiCompatibleOptions): OpenAiCompatibleComplete {
  const url = baseUrl(o.url)
  const path = `${url.pathname.replace(/(?<!\/)\/+$/, '')}/completions${url.search}`
  const headers = {
    'content-type': 'application/json',
    accept: 'application/json',
    ...(o.apiKey && { authorization: `Bearer ${checkedKey(o.apiKey)}` }),
  }
  const pool = lazyPool(url.origin, {
    connections: o.concurrency,
    connect: { timeout: Math.min(CONNECT_MS, o.timeoutMs) },
    headersTimeout: o.timeoutMs,
    bodyTimeout: o.timeoutMs,
  })

  const complete: Complete = (prompt, { signal, logprobs }) => {
    const body = JSON.stringify({
      ...(o.model && { model: o.model }),
      prompt,
      max_tokens: o.maxNewTokens ?? 32,
      temperature: 0,
      stream: false,
      ...(logprobs && { logprobs: TOP }),
    })
    return within({ ms: o.timeoutMs, late: tooLate(o.timeoutMs), signal }, async (inner) => {
      try {
        const sent = { ...headers, ...traceparent() }
        return await read(await pool.request({ method: 'POST', path, headers: sent, body, signal: inner.signal }))
      } catch (error) {
        throw connectionError(error)
      }
    })
  }
  return Object.assign(complete, {
    close: () => pool.destroy(),
    identity: JSON.stringify(['openai', url.origin + path, o.model ?? null]),
  })
}

async function read({ statusCode, headers, body }: Dispatcher.ResponseData): Promise<Completion> {
  const text = await bounded(body)
  if (statusCode !== 200) throw statusError(statusCode, text, headers['retry-after'])
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    throw unreadable(`${text.length} characters that are not JSON`)
  }
  return readCompletion(json)
}

async function bounded(body: Dispatcher.ResponseData['body']): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > MAX_ANSWER_BYTES) throw unreadable(`more than ${MAX_ANSWER_BYTES} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function tooLate(ms: number): () => LlamaGuardError {
  return () =>
    new LlamaGuardError('guard_timeout', `The guard server did not answer within ${ms} ms.`, { retryable: true })
}

function baseUrl(given: string): URL {
  const url = URL.canParse(given) ? new URL(given) : undefined
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:')
    throw invalid(
      'LLAMA_GUARD_URL is no http or https URL. Set it to the base URL of the guard server, for example ' +
        'http://localhost:8000/v1.',
    )
  if (url.username || url.password)
    throw invalid('LLAMA_GUARD_URL holds a user name or password, which would end up in logs. Use LLAMA_GUARD_API_KEY.')
  return url
}

function checkedKey(key: string): string {
  if (/^[\x21-\x7e]+$/.test(key)) return key
  throw invalid(
    'LLAMA_GUARD_API_KEY holds a space, a line break or another character that cannot stand in a ' +
      'header. Is there a newline at its end?',
  )
}

const invalid = (message: string): LlamaGuardError => new LlamaGuardError('invalid_option', message)

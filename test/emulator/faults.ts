// Every way the endpoint can fail, as behaviours for `emulator.behave(...)`, and the table of what our error must be.
// A test that walks FAULTS proves that none of them reads as "safe".
import type { ErrorCode } from '../../src/types/errors.js'
import {
  ACCESS_DENIED,
  BAD_SIGNATURE,
  DEPENDENCY,
  EXPIRED,
  INTERNAL_FAILURE,
  modelError,
  NOT_READY,
  THROTTLED,
  UNAVAILABLE,
  UNKNOWN_KEY,
  validationError,
} from './aws-errors.js'
import type { AwsError } from './aws-errors.js'
import type { Behaviour, Emulator } from './types.js'

/** Answers with an AWS error. */
export const fails =
  (error: AwsError): Behaviour =>
  (call) =>
    call.fail(error)

/** The container answers this status; its words may echo the prompt, as real containers' do. */
export const modelFails =
  (status: number, text?: string): Behaviour =>
  (call) =>
    call.fail(
      modelError(
        status,
        text ?? JSON.stringify({ error: `Request failed during generation: ${call.prompt}`, error_type: 'generation' }),
      ),
    )

/** The model says this, in the container's own shape. */
export const says =
  (text: string, finishReason = 'eos_token'): Behaviour =>
  (call) =>
    call.answer({ text, finishReason })

/** Sends this body with status 200. */
export const sends =
  (body: unknown, contentType?: string): Behaviour =>
  (call) =>
    call.send(body, contentType)

/** Answers normally, after a while. */
export const late =
  (ms: number): Behaviour =>
  (call) =>
    new Promise((done) => {
      setTimeout(() => {
        call.answer()
        done()
      }, ms)
    })

/** Never answers. The connection stays open until the client gives up. */
export const hangs: Behaviour = () => undefined

/** Sends headers and half of the answer, then nothing more. */
export const hangsHalfway: Behaviour = (call) => {
  const text = call.normal()
  call.response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) })
  call.response.write(text.slice(0, text.length / 2))
}

/** Closes the connection without a word. */
export const drops: Behaviour = (call) => void call.request.socket.destroy()

/** Promises more bytes than it sends, then closes the connection. */
export const dropsHalfway: Behaviour = (call) => {
  const text = call.normal()
  call.response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) + 64 })
  call.response.write(text, () => call.request.socket.destroy())
}

/** On the bare socket: Node refuses to write more than it promised. */
const raw =
  (write: (answer: string) => string): Behaviour =>
  (call) =>
    void call.request.socket.end(write(call.normal()))
const head = (length: number): string =>
  `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n`

/** A load balancer's or proxy's page instead of AWS's JSON. */
export const page =
  (status: number): Behaviour =>
  (call) => {
    call.response.writeHead(status, { 'content-type': 'text/html' })
    call.response.end(`<html><head><title>${status}</title></head><body><h1>${status}</h1></body></html>`)
  }

export interface Fault {
  readonly name: string
  readonly behaviour: Behaviour
  /** The code of our error. */
  readonly code: ErrorCode
  /** Whether asking again may help. */
  readonly retryable: boolean
  /** Lasts until the client's own timeout: give it a short one. */
  readonly slow?: true
  apply(emulator: Pick<Emulator, 'behave'>): void
}

const fault = (name: string, behaviour: Behaviour, code: ErrorCode, retryable: boolean, slow?: true): Fault => ({
  name,
  behaviour,
  code,
  retryable,
  ...(slow && { slow }),
  apply: (emulator) => emulator.behave(behaviour),
})

const TOO_LONG = JSON.stringify({
  error:
    'Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 4090 `inputs` tokens and 32 `max_new_tokens`',
  error_type: 'validation',
})

export const FAULTS: readonly Fault[] = [
  fault('throttled by AWS', fails(THROTTLED), 'guard_throttled', true),
  fault('model not ready', fails(NOT_READY), 'guard_not_ready', true),
  fault('internal failure', fails(INTERNAL_FAILURE), 'guard_error', true),
  fault('service unavailable', fails(UNAVAILABLE), 'guard_unavailable', true),
  fault('internal dependency failure', fails(DEPENDENCY), 'guard_error', true),
  fault(
    'validation error',
    fails(validationError('Endpoint llama-guard of account 123456789012 not found.')),
    'guard_rejected',
    false,
  ),
  fault('access denied', fails(ACCESS_DENIED), 'guard_rejected', false),
  fault('expired token', fails(EXPIRED), 'guard_rejected', false),
  fault('unknown access key', fails(UNKNOWN_KEY), 'guard_rejected', false),
  fault('wrong signature', fails(BAD_SIGNATURE), 'guard_rejected', false),
  fault(
    'container overloaded (429)',
    modelFails(429, '{"error":"Model is overloaded","error_type":"overloaded"}'),
    'guard_throttled',
    true,
  ),
  fault('container unavailable (503)', modelFails(503), 'guard_unavailable', true),
  fault('generation failed (424)', modelFails(424), 'guard_error', true),
  fault('container failed (500)', modelFails(500), 'guard_error', true),
  fault('container refused the request (400)', modelFails(400), 'guard_rejected', false),
  fault(
    'container refused a parameter (422)',
    modelFails(
      422,
      '{"error":"Input validation error: `temperature` must be strictly positive","error_type":"validation"}',
    ),
    'guard_rejected',
    false,
  ),
  fault('input too long (422)', modelFails(422, TOO_LONG), 'guard_input_too_long', false),
  fault('connection dropped before the answer', drops, 'guard_unavailable', true),
  fault('connection dropped within the answer', dropsHalfway, 'guard_unavailable', true),
  fault(
    'bytes that are no HTTP',
    raw(() => 'safe\r\n\r\n'),
    'guard_error',
    false,
  ),
  fault(
    'a length that is too long',
    raw((answer) => head(answer.length + 50) + answer),
    'guard_unavailable',
    true,
  ),
  fault(
    'a length that is too short',
    raw((answer) => head(answer.length - 9) + answer),
    'guard_error',
    false,
  ),
  fault('no answer', hangs, 'guard_timeout', true, true),
  fault('half an answer, then silence', hangsHalfway, 'guard_timeout', true, true),
  fault('HTML page with 413', page(413), 'guard_input_too_long', false),
  fault('HTML page with 403', page(403), 'guard_rejected', false),
  fault('HTML page with 502', page(502), 'guard_unavailable', true),
  fault('HTML page with 200', page(200), 'guard_error', false),
  fault('empty body', sends(''), 'guard_error', false),
  fault('truncated JSON', (call) => call.send(call.normal().slice(0, -9)), 'guard_error', false),
  fault(
    'a body beyond every bound',
    (call) => call.send(JSON.stringify([{ generated_text: ' safe', padding: 'x'.repeat(4_000_000) }])),
    'guard_error',
    false,
  ),
  fault('JSON of an unknown shape', sends({ verdict: 'safe' }), 'guard_error', false),
  fault('JSON null', sends(null), 'guard_error', false),
  fault('two answers', sends([{ generated_text: 'safe' }, { generated_text: 'unsafe\nO3' }]), 'guard_error', false),
  fault('no answers', sends([]), 'guard_error', false),
  fault('text that is no string', sends([{ generated_text: ['safe'] }]), 'guard_error', false),
  fault('LMI error payload with 200', sends({ error: 'CUDA out of memory', code: 424 }), 'guard_error', true),
  fault(
    'LMI failed while generating',
    sends({ generated_text: '', details: { finish_reason: 'error', generated_tokens: null, inputs: null } }),
    'unparseable_verdict',
    false,
  ),
  fault('safe, but the generation failed', says('safe', 'error'), 'unparseable_verdict', false),
  fault('safe, but cut by the token limit', says('safe', 'length'), 'unparseable_verdict', false),
  fault(
    'prompt echo',
    (call) => call.send([{ generated_text: `${call.prompt} safe`, details: { finish_reason: 'eos_token' } }]),
    'unparseable_verdict',
    false,
  ),
  fault('empty text', says(''), 'unparseable_verdict', false),
  fault('off-format text', says('I cannot help with that.'), 'unparseable_verdict', false),
  fault('safe and more', says('safety first'), 'unparseable_verdict', false),
  fault('safe with a category', says('safe\nS1'), 'unparseable_verdict', false),
  fault('a cut word', says('uns', 'length'), 'unparseable_verdict', false),
]

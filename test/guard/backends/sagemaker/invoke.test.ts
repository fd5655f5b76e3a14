// Calls after the first, which the SDK no longer builds: signed all the same, failing all the same, and
// following its configuration.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { sagemakerComplete } from '../../../../src/guard/backends/sagemaker/index.js'
import type { SageMakerOptions } from '../../../../src/guard/backends/sagemaker/index.js'
import type { Completer } from '../../../../src/guard/answer/completion.js'
import { createSender } from '../../../../src/guard/backends/sagemaker/send.js'
import { createInvoke } from '../../../../src/guard/backends/sagemaker/invoke.js'
import { LazyAbortController } from '../../../../src/utils/deadline.js'
import type { Emulator } from '../../../emulator/index.js'
import { closing, endpoint, setEnv } from '../../../helpers/closing.js'
import { serve } from '../../../helpers/http.js'
import { failure } from '../../fake-guards.js'

const PROMPT =
  '[INST] Task\n\n<BEGIN CONVERSATION>\n\nUser: hello \u{1F999}\n\n<END CONVERSATION>\n\nProvide your safety assessment for User in the above conversation: [/INST]'

/** An endpoint that has answered once. */
async function warm(
  given: Partial<SageMakerOptions> = {},
  env: Record<string, string> = {},
): Promise<{ complete: Completer; emulator: Emulator }> {
  const emulator = await endpoint({ endpoints: ['llama-guard', 'llama guard/2'] }, env)
  const complete = closing(sagemakerComplete({ endpoint: 'llama-guard', concurrency: 4, timeoutMs: 20_000, ...given }))
  await complete(PROMPT, { logprobs: false })
  return { complete, emulator }
}

describe('A later call', () => {
  it('says what the first one said, with its own body and signature.', async () => {
    const { complete, emulator } = await warm({ inferenceComponent: 'guard-component', targetVariant: 'green' })
    expect((await complete(PROMPT.replace('hello', 'hello again'), { logprobs: false })).text).toBe(' safe')
    const [first, second] = emulator.requests
    const changing =
      'authorization content-length x-amz-date x-amz-content-sha256 amz-sdk-invocation-id amz-sdk-request'.split(' ')
    const lasting = (headers: object) =>
      Object.fromEntries(Object.entries(headers).filter(([name]) => !changing.includes(name)))
    expect(lasting(second!.headers)).toEqual(lasting(first!.headers))
    expect(second!.headers).toMatchObject({
      'x-amzn-sagemaker-inference-component': 'guard-component',
      'x-amzn-sagemaker-target-variant': 'green',
    })
    expect(second!.headers.authorization).not.toBe(first!.headers.authorization)
    expect(second!.prompt).toContain('hello again')
  })

  it('sends a session token when the credentials have one.', async () => {
    const { complete, emulator } = await warm({}, { AWS_SESSION_TOKEN: 'a-session' })
    await complete(PROMPT, { logprobs: false })
    expect(emulator.requests.map(({ headers }) => headers['x-amz-security-token'])).toEqual(['a-session', 'a-session'])
  })

  it('that waits for a socket is never sent once its caller has gone.', async () => {
    const { complete, emulator } = await warm({ concurrency: 1 })
    emulator.reset()
    let release: () => void = () => undefined
    const arrived = new Promise<void>((resolve) => {
      emulator.behave(
        async (call) => {
          resolve()
          await new Promise<void>((free) => (release = free))
          call.answer()
        },
        { times: 1 },
      )
    })
    const first = complete(PROMPT, { logprobs: false })
    await arrived
    const controller = new AbortController()
    const second = failure(complete(PROMPT, { logprobs: false, signal: controller.signal }))
    controller.abort()
    await second
    release()
    await first
    await complete(PROMPT, { logprobs: false })
    expect(emulator.requests).toHaveLength(2)
  })

  it('reaches an endpoint whose name must be escaped in the path.', async () => {
    const { emulator } = await warm()
    const invoke = createInvoke(
      { EndpointName: 'llama guard/2', ContentType: 'application/json' },
      { connections: 1, connectMs: 3000, maxAnswerBytes: 1e6, tooLarge: () => new Error('too large') },
    )
    closing(invoke)
    for (let call = 0; call < 2; call++) await invoke(JSON.stringify({ inputs: PROMPT }), new LazyAbortController())
    expect(emulator.requests.slice(1).map(({ endpoint }) => endpoint)).toEqual(['llama guard/2', 'llama guard/2'])
  })

  it('has the credentials of its time, and no trace of the first one.', async () => {
    const credentials = [
      { accessKeyId: 'AKIAFIRST', secretAccessKey: 'first', sessionToken: 'session-1' },
      { accessKeyId: 'AKIASECOND', secretAccessKey: 'second', sessionToken: 'session-2' },
    ]
    const seen: Record<string, unknown>[] = []
    const server = await serve((request, response) => {
      seen.push(request.headers)
      request.resume().on('end', () => response.end('[{"generated_text":"safe"}]'))
    })
    const folder = mkdtempSync(join(tmpdir(), 'credentials-'))
    closing({ close: () => (rmSync(folder, { recursive: true }), server.close()) })
    // The process that tells the credentials gives them a second to live, so that each call asks anew.
    const script = join(folder, 'credentials.cjs')
    const turn = join(folder, 'turn')
    writeFileSync(turn, '0')
    writeFileSync(
      script,
      `const { readFileSync } = require('node:fs')
       const { accessKeyId, secretAccessKey, sessionToken } = ${JSON.stringify(credentials)}[Number(readFileSync(${JSON.stringify(turn)}, 'utf8'))]
       const soon = new Date(Date.now() + 1000).toISOString()
       console.log(JSON.stringify({ Version: 1, AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey, SessionToken: sessionToken, Expiration: soon }))`,
    )
    writeFileSync(join(folder, 'config'), `[default]\ncredential_process = ${process.execPath} ${script}\n`)
    setEnv({
      AWS_REGION: 'eu-west-1',
      AWS_ACCESS_KEY_ID: '',
      AWS_SECRET_ACCESS_KEY: '',
      AWS_CONFIG_FILE: join(folder, 'config'),
      AWS_SHARED_CREDENTIALS_FILE: join(folder, 'none'),
      AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME: server.url,
      _X_AMZN_TRACE_ID: 'Root=1-first',
      AWS_LAMBDA_FUNCTION_NAME: 'traced',
    })
    const complete = closing(sagemakerComplete({ endpoint: 'llama-guard', concurrency: 1, timeoutMs: 20_000 }))
    await complete(PROMPT, { logprobs: false })
    writeFileSync(turn, '1')
    await expect
      .poll(async () => {
        await complete(PROMPT, { logprobs: false })
        return seen.at(-1)
      })
      .toMatchObject({
        'x-amz-security-token': 'session-2',
        authorization: expect.stringContaining('AKIASECOND') as string,
      })
    expect(seen[0]).toMatchObject({
      'x-amz-security-token': 'session-1',
      authorization: expect.stringContaining('AKIAFIRST') as string,
    })
    for (const headers of seen) expect(headers).not.toHaveProperty('x-amzn-trace-id')
  })

  it('has its sockets closed when it is closed.', async () => {
    const { complete, emulator } = await warm()
    const sockets: Socket[] = []
    emulator.behave((call) => (sockets.push(call.request.socket), call.answer()))
    await complete(PROMPT, { logprobs: false })
    expect(sockets[0]?.destroyed).toBe(false)
    await complete.close()
    await expect.poll(() => sockets[0]?.destroyed).toBe(true)
  })

  it('is its whole answer, in however many pieces that arrives.', async () => {
    const { complete, emulator } = await warm()
    emulator.behave(async (call) => {
      const text = call.normal()
      call.response.writeHead(200, { 'content-type': 'application/json' })
      for (const piece of [text.slice(0, 9), text.slice(9, 20), text.slice(20)]) {
        call.response.write(piece)
        await new Promise((wake) => setTimeout(wake, 20))
      }
      call.response.end()
    })
    expect((await complete(PROMPT, { logprobs: false })).text).toBe(' safe')
  })

  it('leaves no listener on the signal of its caller.', async () => {
    const listeners = new Set<unknown>()
    const signal = {
      aborted: false,
      reason: undefined,
      addEventListener: (_: string, listener: unknown) => void listeners.add(listener),
      removeEventListener: (_: string, listener: unknown) => void listeners.delete(listener),
    }
    const server = await serve((_, response) => void response.end('{}'))
    const { send, close } = createSender(
      { method: 'POST', protocol: 'http:', hostname: '127.0.0.1', port: server.port, path: '/' },
      { connections: 1, connectMs: 3000, maxAnswerBytes: 1e6, tooLarge: () => new Error('too large') },
    )
    closing({ close })
    await send({}, Buffer.from('body'), signal)
    expect(listeners.size).toBe(0)
    await server.close()
    await expect(send({}, Buffer.from('body'), signal)).rejects.toThrow()
    expect(listeners.size).toBe(0)
  })
})

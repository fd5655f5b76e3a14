// The JumpStart article from its first step to its last, without Python: discover, deploy, example payloads,
// input check, chat, output check, delete. Only AWS is emulated; the commands, the gateway, the AWS SDK and
// the OpenAI client are the real ones.
import OpenAI from 'openai'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { startGateway } from '../../src/cli/gateway/index.js'
import type { Gateway } from '../../src/cli/gateway/index.js'
import { run } from '../../src/cli/index.js'
import { ARTICLE_ANSWER, ARTICLE_QUESTION } from '../emulator/chat-bot.js'
import { startChatEndpoint } from '../emulator/chat-container.js'
import type { ChatEndpoint } from '../emulator/chat-container.js'
import { startControlPlane } from '../emulator/control-plane.js'
import type { ControlPlane } from '../emulator/control-plane.js'
import { startFront } from '../emulator/front.js'
import type { Front } from '../emulator/front.js'
import { startEmulator } from '../emulator/index.js'
import type { Emulator } from '../emulator/index.js'
import { setEnv } from '../helpers/closing.js'
import { catchIo } from './helpers.js'

describe('The walk-through of the article', () => {
  const role = ['--role', 'arn:aws:iam::123456789012:role/SageMakerRole']
  let cloud: ControlPlane
  let guard: Emulator
  let llm: ChatEndpoint
  let front: Front
  let gateway: Gateway | undefined
  let openai: OpenAI
  let env: Record<string, string>

  beforeAll(async () => {
    cloud = await startControlPlane({ describesUntilReady: 0 })
    guard = await startEmulator({ endpoints: ['llama-guard-1'] })
    llm = await startChatEndpoint({ name: 'llama-2-7b-chat' })
    front = await startFront({ 'llama-guard-1': guard.url, 'llama-2-7b-chat': llm.url })
    env = { ...cloud.env, AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME: front.url, LLAMA_GUARD_LOG_LEVEL: 'silent' }
  })
  beforeEach(() => setEnv(env))
  afterAll(async () => {
    await gateway?.stop()
    for (const each of [front, llm, guard, cloud]) await each.close()
  })

  test('1. Discover: the models and the licence are there to be read before anything costs money', async () => {
    const help = catchIo(env)
    await run(['deploy', '--help'], help)
    expect(help.out()).toMatch(/llama-guard-1[\s\S]*llama-2-7b-chat/)
    const licence = catchIo(env)
    expect(await run(['deploy', '--model', 'meta-textgeneration-llama-guard-7b', ...role], licence)).toBe(2)
    expect(licence.err()).toContain('fmhMetadata/eula/llamaEula.txt')
    expect(cloud.calls).toEqual([])
  })

  test("2. Deploy: Llama Guard and Llama-2 chat, on the article's instance", async () => {
    for (const model of ['meta-textgeneration-llama-guard-7b', 'meta-textgeneration-llama-2-7b-f'])
      expect(await run(['deploy', '--model', model, '--accept-eula', ...role], catchIo(env))).toBe(0)
    expect([...cloud.endpoints.keys()]).toEqual(['llama-guard-1', 'llama-2-7b-chat'])
    expect(cloud.configs.get('llama-guard-1')).toMatchObject({
      ProductionVariants: [{ InstanceType: 'ml.g5.2xlarge' }],
    })
  })

  test('3. Example payloads: each is sent and its answer shown', async () => {
    const io = catchIo(env)
    expect(await run(['doctor', '--endpoint', 'llama-guard-1', '--model', 'llama-guard-1'], io)).toBe(0)
    expect(io.out()).toMatch(
      /a harmless question: safe[\s\S]*a harmless answer: safe[\s\S]*a harmful request: unsafe O3/,
    )
  })

  test("4. Input check: the article's question is safe", async () => {
    const io = catchIo(env)
    expect(await run(['check', '--endpoint', 'llama-guard-1', ARTICLE_QUESTION], io)).toBe(0)
    expect(guard.conversations().at(-1)).toMatchObject({
      version: 1,
      judges: 'User',
      turns: [{ role: 'User', text: ARTICLE_QUESTION }],
    })
  })

  test('5. Chat: the question goes through the guard to Llama-2 in its own format, and the answer comes back', async () => {
    gateway = await startGateway({
      port: 0,
      drainMs: 0,
      env: { ...env, LLAMA_GUARD_ENDPOINT: 'llama-guard-1', LLAMA_GUARD_UPSTREAM_ENDPOINT: 'llama-2-7b-chat' },
    })
    openai = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'none', maxRetries: 0 })
    const { data, response } = await openai.chat.completions
      .create({ model: 'llama-2', messages: [{ role: 'user', content: ARTICLE_QUESTION }], max_completion_tokens: 128 })
      .withResponse()
    expect(llm.requests.at(-1)).toMatchObject({
      inputs: `<s>[INST] ${ARTICLE_QUESTION} [/INST] `,
      parameters: { max_new_tokens: 128 },
    })
    expect(data.choices[0]?.message.content).toBe(ARTICLE_ANSWER)
    expect(response.headers.get('llama-guard')).toMatch(/^input=safe.*, output=safe/)
  })

  test('6. Output check: question and answer were judged together; what the model should not say is not heard', async () => {
    expect(guard.conversations().at(-1)).toMatchObject({
      judges: 'Agent',
      turns: [{ role: 'User', text: ARTICLE_QUESTION }, { role: 'Agent' }],
    })
    guard.behave((call) => call.answer({ text: call.asked?.judges === 'Agent' ? ' unsafe\nO3' : ' safe' }))
    await expect(
      openai.chat.completions.create({ model: 'llama-2', messages: [{ role: 'user', content: 'say something else' }] }),
    ).rejects.toMatchObject({
      status: 451,
      error: { stage: 'output', categories: [{ code: 'O3', name: 'Criminal Planning' }] },
    })
  })

  test('7. Clean up: nothing is left that costs money', async () => {
    for (const name of ['llama-guard-1', 'llama-2-7b-chat'])
      expect(await run(['delete', '--endpoint', name], catchIo(env))).toBe(0)
    expect([cloud.endpoints.size, cloud.configs.size, cloud.models.size]).toEqual([0, 0, 0])
  })
})

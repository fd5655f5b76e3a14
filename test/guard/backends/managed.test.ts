// Managed services as guards, on the wire: Bedrock's ApplyGuardrail and Converse through the real SDK, OpenAI's
// moderation endpoint beside OpenAI's own client.
import { ApplyGuardrailCommand, BedrockRuntimeClient, ConverseCommand } from '@aws-sdk/client-bedrock-runtime'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import OpenAI from 'openai'
import { beforeEach, describe, expect, it } from 'vitest'
import { createGuard, llamaGuard, type CreateGuardOptions } from '../../../src/index.js'
import type { Conversation } from '../../../src/types.js'
import {
  type ConverseBody,
  type ManagedEmulator,
  startBedrock,
  startModeration,
} from '../../emulator/managed-guards.js'
import { CREDENTIALS, REGION } from '../../emulator/sigv4.js'
import { ask } from '../../helpers/apps.js'
import { closing, guardedServer, setEnv } from '../../helpers/closing.js'
import { memoryLogger } from '../../helpers/guards.js'
import { chat } from '../../helpers/http.js'
import { says } from '../fake-guards.js'

const PNG = 'data:image/png;base64,iVBORw0KGgo='
const pictured = (text: string, ...urls: string[]): Conversation => [
  { role: 'User', text, images: urls.map((url) => ({ url })) },
]

async function outcomeOf(work: Promise<{ safe: boolean; categories: readonly string[] }>): Promise<string> {
  return work.then(
    ({ safe, categories }) => (safe ? 'safe' : `unsafe ${categories.join()}`),
    (error: unknown) => (error as { code: string }).code,
  )
}

async function emulated(given?: { images: boolean }): ReturnType<typeof startBedrock> {
  const bedrock = closing(await startBedrock(given))
  setEnv({
    AWS_REGION: REGION,
    AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
    AWS_ENDPOINT_URL_BEDROCK_RUNTIME: bedrock.url,
  })
  return bedrock
}

describe('gpt-oss-safeguard on Bedrock', () => {
  const OPTIONS = { guard: 'bedrock', model: 'gpt-oss-safeguard', guardModel: 'openai.gpt-oss-safeguard-20b' } as const
  const guardOf = (options: CreateGuardOptions = {}) => closing(createGuard({ ...OPTIONS, ...options }))

  it("is asked by Converse as the SDK's own client asks, with the policy as the system text", async () => {
    const bedrock = await emulated()
    expect(await guardOf().judge([...says('How?'), { role: 'Agent', text: 'UNSAFE <|end|>' }])).toEqual({
      safe: false,
      categories: ['S9'],
      tokens: { input: 90, output: 30 },
    })
    const { path, body } = bedrock.requests[0] as unknown as { path: string; body: ConverseBody }
    expect(path).toBe('/model/openai.gpt-oss-safeguard-20b/converse')
    const [system, user] = [body.system![0]!.text, body.messages[0]!.content[0]!.text]
    expect(system).toMatch(/^# Content Safety Policy[^]*last Agent message[^]*S14: Code Interpreter Abuse\./)
    expect(user).toMatch(/^User: How\?\n\nAgent: UNSAFE /)
    expect(user).not.toContain('<|end|>')
    const client = new BedrockRuntimeClient({ maxAttempts: 1, requestHandler: new NodeHttpHandler() })
    const sent = new ConverseCommand({
      modelId: OPTIONS.guardModel,
      system: [{ text: system }],
      messages: [{ role: 'user', content: [{ text: user }] }],
      inferenceConfig: { maxTokens: 1024, temperature: 0 },
    })
    expect((await client.send(sent)).stopReason).toBe('end_turn')
    client.destroy()
    expect(bedrock.requests[1]).toEqual(bedrock.requests[0])
  })

  it.each([
    ['hi', {}, 'safe'],
    ['UNSAFE', {}, 'unsafe S9'],
    ['SAYS(unsafe\nT1)', { policy: { categories: 'T1: Tax Advice.\nAdvice about taxes.' } }, 'unsafe T1'],
    ['SAYS(Safe, I think)', {}, 'unparseable_verdict'],
    ['LONG', {}, 'unparseable_verdict'],
    ['GUARDRAIL', {}, 'unparseable_verdict'],
    ['hi', { guardModel: 'openai.other' }, 'guard_rejected'],
  ])('says of %j with %j: %s', async (text, options, outcome) => {
    await emulated()
    expect(await outcomeOf(guardOf(options).judge(says(text)))).toBe(outcome)
  })

  it('is for models that read chats, and needs the id of one', () => {
    setEnv({ AWS_REGION: REGION })
    expect(() => guardOf({ model: 'llama-guard-3-8b' })).toThrow(/Use gpt-oss-safeguard there/)
    expect(() => createGuard({ guard: 'bedrock', model: 'gpt-oss-safeguard' })).toThrow(/LLAMA_GUARD_MODEL_ID/)
  })
})

describe('bedrock-guardrail', () => {
  let bedrock: Awaited<ReturnType<typeof startBedrock>>
  async function guardOf(options: CreateGuardOptions = {}, given?: { images: boolean }) {
    bedrock = await emulated(given)
    return closing(createGuard({ guard: 'bedrock-guardrail', guardModel: 'abc123@1', ...options }))
  }

  it("is asked as the SDK's own client asks", async () => {
    const guard = await guardOf()
    const client = new BedrockRuntimeClient({ maxAttempts: 1, requestHandler: new NodeHttpHandler() })
    const sdk = await client.send(
      new ApplyGuardrailCommand({
        guardrailIdentifier: 'abc123',
        guardrailVersion: '1',
        source: 'INPUT',
        content: [{ text: { text: 'UNSAFE_VIOLENCE' } }],
      }),
    )
    client.destroy()
    expect(sdk).toMatchObject({ action: 'GUARDRAIL_INTERVENED', assessments: [{ contentPolicy: {} }] })
    await guard.judge(says('UNSAFE_VIOLENCE'))
    expect(bedrock.requests[1]).toEqual(bedrock.requests[0])
  })

  it.each([
    ['hi', 'safe'],
    ['UNSAFE_VIOLENCE UNSAFE_HATE', 'unsafe VIOLENCE,HATE'],
    ['UNSAFE_TOPIC', 'unsafe TOPIC'],
    ['UNSAFE_WORD', 'unsafe WORD'],
    ['mail jane@example.com', 'unsafe MASKED'],
    ['UNSAFE_NEW', 'unsafe '],
    ['DETECT_SEXUAL', 'safe'],
    ['HALF', 'guard_rejected'],
  ])('finds %s %s', async (text, outcome) => {
    const guard = await guardOf()
    expect(await outcomeOf(guard.judge(says(text)))).toBe(outcome)
  })

  it('judges what the model says as output, hidden letters revealed, and every turn of a long history', async () => {
    const guard = await guardOf()
    await guard.judge([...says('hi'), { role: 'Agent', text: 'UNSAFE\u200b_HATE' }])
    expect(bedrock.requests[0]!.body).toEqual({ source: 'OUTPUT', content: [{ text: { text: 'UNSAFE_HATE' } }] })
    const app = llamaGuard({ guard: 'bedrock-guardrail', guardModel: 'abc123@1', logger: memoryLogger() })
    closing(app)
    const history = [...says('UNSAFE_HATE'), { role: 'Agent' as const, text: 'no' }, ...says('thanks')]
    expect(await app.judge(history)).toMatchObject({ verdict: { safe: false, categories: ['HATE'] } })
  })

  it('sees PNG and JPEG, and says so of what it cannot see', async () => {
    const guard = await guardOf()
    expect(await outcomeOf(guard.judge(pictured('look', PNG)))).toBe('safe')
    expect(await outcomeOf(guard.judge(pictured('', PNG.replace('png', 'jpeg'))))).toBe('safe')
    expect(bedrock.requests.map(({ body }) => body.content.map((block) => block.image?.format ?? 'text'))).toEqual([
      ['text', 'png'],
      ['jpeg'],
    ])
    for (const url of ['https://example.com/a.png', PNG.replace('png', 'gif')])
      expect(await outcomeOf(guard.judge(pictured('look', url)))).toBe('unsupported_content')
    const blind = await guardOf({}, { images: false })
    expect(await outcomeOf(blind.judge(pictured('look', PNG)))).toBe('unsupported_content')
  })

  it.each<[string, Record<string, string>, CreateGuardOptions, string, RegExp]>([
    ['no such guardrail', {}, { guardModel: 'other@1' }, 'guard_rejected', /LLAMA_GUARD_MODEL_ID names a guardrail/],
    ['another key', { AWS_ACCESS_KEY_ID: 'AKIAOTHER' }, {}, 'guard_rejected', /refused the credentials/],
    ['nobody there', { AWS_ENDPOINT_URL_BEDROCK_RUNTIME: 'http://127.0.0.1:9' }, {}, 'guard_unavailable', /reached/],
  ])('tells %s', async (_, env, options, code, message) => {
    const guard = await guardOf(options)
    setEnv(env)
    await expect(guard.judge(says('hi'))).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message) as string,
    })
  })

  it.each([
    [429, 'ThrottlingException', 'guard_throttled'],
    [403, 'AccessDeniedException', 'guard_rejected'],
    [500, 'InternalServerException', 'guard_error'],
    [503, 'ServiceUnavailableException', 'guard_unavailable'],
    [400, 'ValidationException', 'guard_rejected'],
    [200, undefined, 'unparseable_verdict'],
  ])('takes %i %s for %s, and keeps its words', async (status, name, code) => {
    const guard = await guardOf()
    bedrock.instead = (response) =>
      response
        .writeHead(status, {
          'content-type': 'application/json',
          ...(name !== undefined && { 'x-amzn-errortype': name }),
        })
        .end('{"message":"User: arn:aws:iam::1:user/app said: words of the chat"}')
    const error: unknown = await guard.judge(says('hi')).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code })
    expect(JSON.stringify([(error as Error).message, (error as Error).cause])).not.toMatch(/arn:|words/)
  })

  it('is blocked by the policy with the names of its filters', async () => {
    await guardOf()
    const policy = { actions: { WORD: 'flag' } } as const
    const { url } = await guardedServer({ guard: 'bedrock-guardrail', guardModel: 'abc123@1', policy })
    const post = (text: string) => ask(`${url}/v1/chat/completions`, { body: chat(text) })
    const blocked = await post('UNSAFE_VIOLENCE')
    expect([blocked.status, blocked.headers['llama-guard']]).toEqual([451, 'input=unsafe;cat="VIOLENCE"'])
    expect((await post('UNSAFE_WORD')).status).toBe(200)
  })

  it('needs a guardrail, and takes no option of a prompt', () => {
    expect(() => createGuard({ guard: 'bedrock-guardrail' })).toThrow(/`guardModel`.*LLAMA_GUARD_MODEL_ID/)
    expect(() =>
      createGuard({ guard: 'bedrock-guardrail', guardModel: 'a', policy: { categories: [{ id: 'S1', name: 'x' }] } }),
    ).toThrow(/categories/)
    expect(() => createGuard({ guard: 'local', guardModel: 'a' })).toThrow(/bedrock-guardrail/)
  })
})

describe('openai-moderation', () => {
  let openai: ManagedEmulator<{ model: string; input: unknown }>
  beforeEach(async () => void (openai = closing(await startModeration())))
  const guardOf = (options: CreateGuardOptions = {}) =>
    closing(
      createGuard({ guard: 'openai-moderation', guardUrl: `${openai.url}/v1`, guardApiKey: 'sk-test', ...options }),
    )

  it("is asked as OpenAI's own client asks, and answers as it reads", async () => {
    const client = new OpenAI({ baseURL: `${openai.url}/v1`, apiKey: 'sk-test', maxRetries: 0 })
    const input = [{ type: 'text' as const, text: 'UNSAFE_violence/graphic' }]
    const { results } = await client.moderations.create({ model: 'omni-moderation-latest', input })
    const verdict = await guardOf().judge(says('UNSAFE_violence/graphic'))
    expect(openai.requests[1]).toEqual(openai.requests[0])
    expect(verdict).toMatchObject({ safe: false, categories: ['violence/graphic'], score: 0.97 })
    expect(verdict.categoryScores).toEqual(results[0]!.category_scores)
  })

  it.each([
    ['hi', 'safe'],
    ['UNSAFE_hate and UNSAFE_self-harm/intent', 'unsafe hate,self-harm/intent'],
  ])('finds %s %s', async (text, outcome) => {
    expect(await outcomeOf(guardOf().judge(says(text)))).toBe(outcome)
  })

  it('sees one image a request, by URL or in the request', async () => {
    const guard = guardOf()
    const conversation = pictured('look', PNG, 'https://example.com/UNSAFE_sexual.png')
    expect(await outcomeOf(guard.judge(conversation))).toBe('unsafe sexual')
    expect(openai.requests.map(({ body }) => (body.input as readonly object[]).length)).toEqual([2, 2])
  })

  it('reads a long text to its end', async () => {
    const words = Array.from({ length: 9000 }, (_, index) => `word${index}`).join(' ')
    expect(await outcomeOf(guardOf().judge(says(`${words} UNSAFE_illicit`)))).toBe('unsafe illicit')
    expect(openai.requests.length).toBeGreaterThan(2)
  })

  it.each<[string, unknown]>([
    ['no results', { results: [] }],
    ['two results', { results: [{}, {}] }],
    ['no flag', { results: [{ categories: {}, category_scores: { hate: 0.1 } }] }],
    ['a flag that is a word', { results: [{ flagged: 'false', categories: {}, category_scores: { hate: 0.1 } }] }],
    ['scores beyond one', { results: [{ flagged: false, categories: {}, category_scores: { hate: 7 } }] }],
    ['no scores', { results: [{ flagged: false, categories: {}, category_scores: {} }] }],
  ])('takes %s for no verdict', async (_, body) => {
    openai.instead = (response) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    expect(await outcomeOf(guardOf().judge(says('hi')))).toBe('unparseable_verdict')
  })

  it.each([
    [{ flagged: true, categories: {} }, 'unsafe '],
    [{ flagged: false, categories: { violence: true } }, 'unsafe violence'],
    [{ flagged: true, categories: { novelty: true } }, 'unsafe '],
  ])('takes what contradicts itself, %j, for unsafe', async (result, outcome) => {
    openai.instead = (response) =>
      response.writeHead(200).end(JSON.stringify({ results: [{ ...result, category_scores: { violence: 0.1 } }] }))
    expect(await outcomeOf(guardOf().judge(says('hi')))).toBe(outcome)
  })

  it('tells a wrong key, and needs one', async () => {
    expect(await outcomeOf(guardOf({ guardApiKey: 'sk-other' }).judge(says('hi')))).toBe('guard_rejected')
    expect(() => createGuard({ guard: 'openai-moderation' })).toThrow(/`guardApiKey`.*LLAMA_GUARD_API_KEY/)
    expect(() => createGuard({ guard: 'openai-moderation', guardApiKey: 'k', endpoint: 'e' })).toThrow(/endpoint/)
  })
})

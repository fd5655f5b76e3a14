// SageMaker's OpenAI-compatible path as an upstream: OpenAI's client in front, and an endpoint behind that checks the
// bearer token as SageMaker does, with an own computation of the signature.
import { createHash, createHmac } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime'
import OpenAI from 'openai'
import { describe, expect, it } from 'vitest'
import { bearerTokens } from '../../../src/upstream/sagemaker/client.js'
import { sagemakerChatUpstream, type SageMakerChatOptions } from '../../../src/upstream/index.js'
import { CREDENTIALS, REGION } from '../../emulator/sigv4.js'
import { closing } from '../../helpers/closing.js'
import { serve } from '../../helpers/http.js'
import { gateway } from '../helpers.js'

/** What SageMaker says against a token; undefined for a good one. */
function refusalOf(authorization = '', sessionToken?: string): string | undefined {
  const [, encoded] = /^Bearer sagemaker-api-key-([A-Za-z0-9+/=]+)$/.exec(authorization) ?? []
  if (encoded === undefined) return 'no token'
  const text = Buffer.from(encoded, 'base64').toString()
  const [, query] = /^sagemaker\.amazonaws\.com\/\?(.+)&Version=1$/.exec(text) ?? []
  if (query === undefined) return `another URL: ${text}`
  const given = new Map(new URLSearchParams(query))
  const signature = given.get('X-Amz-Signature')
  given.delete('X-Amz-Signature')
  const day = given.get('X-Amz-Date')!.slice(0, 8)
  const scope = `${day}/${REGION}/sagemaker/aws4_request`
  expect(Object.fromEntries(given)).toEqual({
    Action: 'CallWithBearerToken',
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
    'X-Amz-Credential': `${CREDENTIALS.accessKeyId}/${scope}`,
    'X-Amz-Date': expect.stringMatching(/^\d{8}T\d{6}Z$/) as string,
    'X-Amz-Expires': '900',
    'X-Amz-SignedHeaders': 'host',
    ...(sessionToken !== undefined && { 'X-Amz-Security-Token': sessionToken }),
  })
  const sorted = [...given]
    .map((pair) => pair.map(encodeURIComponent).join('='))
    .sort()
    .join('&')
  const sha = (value: string) => createHash('sha256').update(value).digest('hex')
  const canonical = `POST\n/\n${sorted}\nhost:sagemaker.amazonaws.com\n\nhost\n${sha('')}`
  const signed = `AWS4-HMAC-SHA256\n${given.get('X-Amz-Date')}\n${scope}\n${sha(canonical)}`
  const key = scope
    .split('/')
    .reduce<Buffer | string>(
      (inner, part) => createHmac('sha256', inner).update(part).digest(),
      `AWS4${CREDENTIALS.secretAccessKey}`,
    )
  return createHmac('sha256', key).update(signed).digest('hex') === signature ? undefined : 'another signature'
}

interface Seen {
  readonly url: string | undefined
  readonly body: Record<string, unknown>
  readonly token: string | undefined
}

async function setup(options: Partial<SageMakerChatOptions> = {}, keys: { sessionToken?: string } = {}) {
  const seen: Seen[] = []
  const chunk = (content: string) => `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\n\n`
  const answer = async (req: IncomingMessage) => {
    const body = JSON.parse((await buffer(req)).toString()) as Record<string, unknown>
    seen.push({ url: req.url, body, token: req.headers.authorization })
    return body
  }
  const server = await serve((req, res) => {
    void answer(req).then((body) => {
      const refusal = refusalOf(req.headers.authorization, keys.sessionToken)
      if (refusal !== undefined || body['safety_identifier'] === 'nobody')
        return res
          .writeHead(403, {
            'x-amzn-errortype': 'AccessDeniedException:http://internal',
            'content-type': 'application/json',
          })
          .end(JSON.stringify({ Message: `User: arn:aws:iam::123456789012:user/app ${refusal}` }))
      if (body['safety_identifier'] === 'wrong')
        return res.writeHead(400, { 'content-type': 'application/json' }).end('{"error":{"message":"no"}}')
      if (body['stream'] === true)
        return res
          .writeHead(200, { 'content-type': 'text/event-stream' })
          .end(`${chunk('Hel')}${chunk('lo')}data: [DONE]\n\n`)
      return res.writeHead(200, { 'content-type': 'application/json' }).end(
        JSON.stringify({
          choices: [{ index: 0, message: { role: 'assistant', content: 'Hello' }, finish_reason: 'stop' }],
        }),
      )
    })
  })
  const client = new SageMakerRuntimeClient({
    region: REGION,
    credentials: { ...CREDENTIALS, ...keys },
    endpoint: server.url,
  })
  closing({ close: () => (client.destroy(), server.close()) })
  const front = await gateway(sagemakerChatUpstream({ endpoint: 'chat', format: 'openai', client, ...options }))
  return { seen, front, openai: new OpenAI({ baseURL: `${front.url}/v1`, apiKey: 'of the client', maxRetries: 0 }) }
}

const ask = { model: 'gpt-5', messages: [{ role: 'user' as const, content: 'hi' }] }

describe('The OpenAI-compatible path of an endpoint', () => {
  it('gets the request with a token of the account, and answers in its own words', async () => {
    const { seen, openai } = await setup()
    expect((await openai.chat.completions.create(ask)).choices[0]?.message.content).toBe('Hello')
    let text = ''
    for await (const { choices } of await openai.chat.completions.create({ ...ask, stream: true }))
      text += choices[0]?.delta.content
    expect(text).toBe('Hello')
    expect(seen).toMatchObject([
      { url: '/endpoints/chat/openai/v1/chat/completions', body: { messages: ask.messages, model: '' } },
      { url: '/endpoints/chat/openai/v1/chat/completions', body: { stream: true } },
    ])
    expect(seen[0]!.token).toBe(seen[1]!.token)
    expect((await openai.models.list()).data).toMatchObject([{ id: 'chat' }])
  })

  it('of an inference component has its name in the path, and temporary credentials their token', async () => {
    const { seen, openai } = await setup({ inferenceComponent: 'small' }, { sessionToken: 'a+b/c=' })
    expect((await openai.chat.completions.create(ask)).choices[0]?.message.content).toBe('Hello')
    expect(seen[0]!.url).toBe('/endpoints/chat/inference-components/small/openai/v1/chat/completions')
  })

  it("passes on what the container refuses, and keeps SageMaker's words about the account", async () => {
    const { openai, front } = await setup()
    await expect(openai.chat.completions.create({ ...ask, safety_identifier: 'wrong' })).rejects.toMatchObject({
      status: 400,
    })
    await expect(openai.chat.completions.create({ ...ask, safety_identifier: 'nobody' })).rejects.toMatchObject({
      status: 503,
    })
    expect(front.errors[0]).toMatchObject({ code: 'upstream_unavailable' })
    expect(front.errors[0]!.message).toMatch(/sagemaker:CallWithBearerToken/)
    expect(front.errors[0]!.message).not.toMatch(/arn:/)
  })

  it('is renewed in its token every five minutes', async () => {
    const client = new SageMakerRuntimeClient({ region: REGION, credentials: CREDENTIALS })
    closing({ close: () => client.destroy() })
    let now = Date.UTC(2026, 11, 1)
    const token = bearerTokens(client, () => now)
    const first = await token()
    now += 299_000
    expect(await token()).toBe(first)
    now += 1000
    expect(await token()).not.toBe(first)
  })

  it('has no targetVariant', () => {
    expect(() => sagemakerChatUpstream({ endpoint: 'chat', format: 'openai', targetVariant: 'a' })).toThrow(
      /targetVariant/,
    )
  })
})

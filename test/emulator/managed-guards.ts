// The two managed services on loopback ports, as their wires are: Bedrock's ApplyGuardrail with its signature, and
// OpenAI's moderation endpoint with its key. Words in a text decide what they find.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { checkSignature } from './sigv4.js'

export interface ManagedEmulator<Body> {
  readonly url: string
  /** Every body that came in, oldest first, with its path. */
  readonly requests: { readonly path: string; readonly body: Body }[]
  /** What is answered instead, until it is unset. */
  instead: ((response: ServerResponse) => void) | undefined
  close(): Promise<void>
}

async function start<Body>(
  answer: (request: IncomingMessage, raw: string, response: ServerResponse) => Promise<void> | void,
): Promise<ManagedEmulator<Body>> {
  const state: ManagedEmulator<Body> = { url: '', requests: [], instead: undefined, close: () => Promise.resolve() }
  const server = createServer((request, response) => {
    let raw = ''
    request.setEncoding('utf8')
    request.on('data', (text: string) => (raw += text))
    request.on('end', () => {
      state.requests.push({ path: request.url ?? '', body: JSON.parse(raw) as Body })
      if (state.instead) state.instead(response)
      else void answer(request, raw, response)
    })
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  return Object.assign(state, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections()
      await new Promise((closed) => server.close(closed))
    },
  })
}

export interface GuardrailBody {
  readonly source: string
  readonly content: readonly {
    readonly text?: { readonly text: string }
    readonly image?: { readonly format: string }
  }[]
}

/** The guardrail `abc123` in version 1, which looks at images when `images`. */
export function startBedrock({ images = true } = {}): Promise<ManagedEmulator<GuardrailBody>> {
  return start(async (request, raw, response) => {
    const send = (status: number, body: object, type?: string): void =>
      void response
        .writeHead(status, {
          'content-type': 'application/json',
          ...(type !== undefined && { 'x-amzn-errortype': type }),
        })
        .end(JSON.stringify(body))
    const forged = await checkSignature(request, raw, Date.now(), 'bedrock')
    if (forged) return send(forged.status, JSON.parse(forged.body) as object, forged.name)
    if (request.url === '/model/openai.gpt-oss-safeguard-20b/converse') return send(200, converse(JSON.parse(raw)))
    if (request.url?.endsWith('/converse'))
      return send(
        404,
        { message: 'Could not resolve the foundation model from the provided model identifier.' },
        'ResourceNotFoundException',
      )
    if (request.url !== '/guardrail/abc123/version/1/apply')
      return send(
        404,
        { message: 'The guardrail identifier or version provided in the request does not exist.' },
        'ResourceNotFoundException',
      )
    const { content } = JSON.parse(raw) as GuardrailBody
    const text = content.map((block) => block.text?.text ?? '').join('\n')
    const pictures = content.filter((block) => block.image !== undefined).length
    const filters = ['VIOLENCE', 'HATE', 'PROMPT_ATTACK'].filter((type) => text.includes(`UNSAFE_${type}`))
    const only = ['SEXUAL'].filter((type) => text.includes(`DETECT_${type}`))
    const assessment = {
      ...(filters.length + only.length > 0 && {
        contentPolicy: {
          filters: [
            ...filters.map((type) => ({
              type,
              confidence: 'HIGH',
              filterStrength: 'HIGH',
              action: 'BLOCKED',
              detected: true,
            })),
            ...only.map((type) => ({ type, confidence: 'HIGH', action: 'NONE', detected: true })),
          ],
        },
      }),
      ...(text.includes('UNSAFE_TOPIC') && {
        topicPolicy: { topics: [{ name: 'Gardening', type: 'DENY', action: 'BLOCKED' }] },
      }),
      ...(text.includes('UNSAFE_WORD') && {
        wordPolicy: { customWords: [{ match: 'x', action: 'BLOCKED' }], managedWordLists: [] },
      }),
      ...(text.includes('jane@example.com') && {
        sensitiveInformationPolicy: {
          piiEntities: [{ type: 'EMAIL', match: 'jane@example.com', action: 'ANONYMIZED' }],
          regexes: [],
        },
      }),
    }
    const acted = JSON.stringify(assessment).match(/"BLOCKED"|"ANONYMIZED"/) !== null || text.includes('UNSAFE_NEW')
    return send(200, {
      action: acted ? 'GUARDRAIL_INTERVENED' : 'NONE',
      assessments: [assessment],
      outputs: acted ? [{ text: 'Blocked.' }] : [],
      usage: {
        topicPolicyUnits: 1,
        contentPolicyUnits: 1,
        wordPolicyUnits: 1,
        sensitiveInformationPolicyUnits: 1,
        sensitiveInformationPolicyFreeUnits: 0,
        contextualGroundingPolicyUnits: 0,
      },
      guardrailCoverage: {
        textCharacters: { guarded: text.includes('HALF') ? 1 : text.length, total: text.length },
        ...(pictures > 0 && { images: { guarded: images ? pictures : 0, total: pictures } }),
      },
    })
  })
}

export interface ConverseBody {
  readonly system?: readonly { readonly text: string }[]
  readonly messages: readonly { readonly role: string; readonly content: readonly { readonly text: string }[] }[]
  readonly inferenceConfig: { readonly maxTokens: number; readonly temperature: number }
}

/** A policy model that thinks, by the words of its last message: `SAYS(...)` is its answer, `LONG` one that is cut. */
function converse({ messages }: ConverseBody): object {
  const text = messages
    .at(-1)!
    .content.map((part) => part.text)
    .join('')
  const answer = /SAYS\(([^)]*)\)/.exec(text)?.[1] ?? (text.includes('UNSAFE') ? 'unsafe\nS9' : 'safe')
  const thoughts = { reasoningContent: { reasoningText: { text: 'The policy says unsafe.' } } }
  return {
    metrics: { latencyMs: 12 },
    output: { message: { role: 'assistant', content: [thoughts, { text: answer }] } },
    stopReason: text.includes('LONG') ? 'max_tokens' : text.includes('GUARDRAIL') ? 'guardrail_intervened' : 'end_turn',
    usage: { inputTokens: 90, outputTokens: 30, totalTokens: 120 },
  }
}

export interface ModerationBody {
  readonly model: string
  readonly input:
    string | readonly ({ type: 'text'; text: string } | { type: 'image_url'; image_url: { url: string } })[]
}

const NAMES = [
  'harassment',
  'harassment/threatening',
  'hate',
  'hate/threatening',
  'illicit',
  'illicit/violent',
  'self-harm',
  'self-harm/intent',
  'self-harm/instructions',
  'sexual',
  'sexual/minors',
  'violence',
  'violence/graphic',
]

/** OpenAI's moderation endpoint with the key `sk-test`. `UNSAFE_violence` and the like decide. */
export function startModeration(): Promise<ManagedEmulator<ModerationBody>> {
  return start((request, raw, response) => {
    const send = (status: number, body: object): void =>
      void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    const error = (status: number, message: string, code: string): void =>
      send(status, { error: { message, type: 'invalid_request_error', param: null, code } })
    if (request.headers.authorization !== 'Bearer sk-test')
      return error(401, 'Incorrect API key provided: sk-****', 'invalid_api_key')
    if (request.method !== 'POST' || request.url !== '/v1/moderations') return error(404, 'Invalid URL', 'unknown_url')
    const { input, model } = JSON.parse(raw) as ModerationBody
    const parts = typeof input === 'string' ? [{ type: 'text' as const, text: input }] : input
    if (parts.filter(({ type }) => type === 'image_url').length > 1)
      return error(400, 'At most one image is supported.', 'too_many_images')
    const text = parts.map((part) => (part.type === 'text' ? part.text : part.image_url.url)).join('\n')
    const found = NAMES.filter((name) => new RegExp(`UNSAFE_${name}(?![/\\w-])`).test(text))
    return send(200, {
      id: 'modr-0',
      model,
      results: [
        {
          flagged: found.length > 0,
          categories: Object.fromEntries(NAMES.map((name) => [name, found.includes(name)])),
          category_scores: Object.fromEntries(NAMES.map((name) => [name, found.includes(name) ? 0.97 : 0.001])),
          category_applied_input_types: Object.fromEntries(NAMES.map((name) => [name, ['text']])),
        },
      ],
    })
  })
}

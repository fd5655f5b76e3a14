// When a stream may begin: what has no words of the model does not turn an early 451 into a 200, unless
// `keepAlive` asks for it.
import { describe, expect, it } from 'vitest'
import { llamaGuard } from '../../../src/llama-guard.js'
import { ask, guarded, onNode, serving, within, type Handler } from '../../helpers/apps.js'
import { markerGuard } from '../../helpers/guards.js'
import { chat, chunk, send, sleep, type Reply } from '../../helpers/http.js'
import { rawClient, post } from '../../helpers/raw.js'

const DONE = 'data: [DONE]\n\n'
const SILENT: Readonly<Record<string, string>> = {
  'an empty comment': ':\n\n',
  'a ping': ': ping\n\n',
  'a ping with its time': ': ping - 2026-04-01 12:00:00.123456+00:00\n\n',
  'a keep-alive': ': keep-alive\n\n',
  'the comment of OpenRouter': ': OPENROUTER PROCESSING\n\n',
  'a retry': 'retry: 3000\n\n',
  'an empty role chunk': chunk({ role: 'assistant', content: '' }),
  'blank lines': '\n\n\n',
}
const ASIDES: Readonly<Record<string, string>> = {
  'a comment with words': ': the queue is long today\n\n',
  'an id with words': 'id: the chat of the day\n\n',
  'an event name with words': `event: first words\n${chunk({ role: 'assistant', content: '' })}`,
  'an unknown field': ':\nserver: number seven\n\n',
  'prose in the model name': `data: ${JSON.stringify({ model: 'The Big Model', choices: [] })}\n\n`,
}

function streaming(...frames: (string | number)[]): Handler {
  return async (_req, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' })
    for (const frame of frames) {
      if (typeof frame === 'number') await sleep(frame)
      else res.write(frame)
    }
    res.end()
  }
}
async function streamed(
  handler: Handler,
  options: Parameters<typeof guarded>[0] = {},
): Promise<{ reply: Reply; texts: string[] }> {
  const middleware = guarded({ check: ['output'], windowMs: 20, ...options })
  const reply = await serving(onNode([middleware], handler), ({ url }) =>
    ask(`${url}/v1/chat/completions`, { body: chat('hi', { stream: true }) }),
  )
  return { reply, texts: middleware.guard.texts() }
}

describe('By default a stream', () => {
  it.each(Object.entries({ ...SILENT, ...ASIDES }))(
    'that is unsafe from its first word is a 451 behind %s',
    async (_name, frame) => {
      const { reply } = await streamed(streaming(frame, 80, frame, chunk({ content: 'UNSAFE' }), DONE))
      expect([reply.status, reply.text.includes('UNSAFE')]).toEqual([451, false])
    },
  )

  it.each(Object.entries({ ...SILENT, ...ASIDES }))(
    'that is safe leaves in its very bytes behind %s',
    async (_name, frame) => {
      const frames = [frame, chunk({ content: 'fine' }), frame, DONE]
      const { reply } = await streamed(streaming(...frames))
      expect([reply.status, reply.text]).toEqual([200, frames.join('')])
    },
  )

  it.each(Object.entries(SILENT))('costs no check for %s', async (_name, frame) => {
    const { reply, texts } = await streamed(streaming(frame, 40, frame))
    expect([reply.status, reply.text, texts]).toEqual([200, frame + frame, []])
  })

  it.each(Object.entries(ASIDES))('that is nothing but %s is judged and leaves', async (_name, frame) => {
    const { reply, texts } = await streamed(streaming(frame, 40, frame))
    expect([reply.status, reply.text, texts.length > 0]).toEqual([200, frame + frame, true])
  })

  it('judges a comment together with the first words, in one check', async () => {
    const { texts } = await streamed(streaming(': the queue is long\n\n', chunk({ content: 'fine' }), DONE), {
      windowMs: 5000,
    })
    expect(texts).toEqual(['the queue is long\nfine'])
  })

  it('is blocked for an unsafe comment, id or name, also when no words follow', async () => {
    for (const frame of [': UNSAFE words\n\n', 'id: so UNSAFE\n\n', `event: so UNSAFE\n${DONE}`])
      expect((await streamed(streaming(frame))).reply.status).toBe(451)
  })

  it('with more comments than may be held goes on once they are judged', async () => {
    const frames = Array.from({ length: 40 }, (_, at) => `: ${at} ${'a long comment of nothing '.repeat(400)}\n\n`)
    const { reply } = await streamed(async (_req, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' })
      for (const frame of frames)
        if (!res.write(frame)) await within(new Promise((resolve) => res.once('drain', resolve)), 'drain')
      res.end(chunk({ content: 'fine' }))
    })
    expect(reply.text).toBe(frames.join('') + chunk({ content: 'fine' }))
  })
})

describe('With keepAlive a stream', () => {
  it.each(Object.entries(SILENT))('lets %s leave before the first verdict', async (_name, frame) => {
    let seen = (): void => undefined
    const arrived = new Promise<void>((resolve) => (seen = resolve))
    const handler: Handler = async (_req, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' })
      res.write(frame)
      await within(arrived, 'the keep-alive')
      res.end(chunk({ content: 'UNSAFE' }) + DONE)
    }
    const middleware = guarded({ check: ['output'], keepAlive: true })
    const reply = await serving(onNode([middleware], handler), ({ url }) =>
      send(`${url}/v1/chat/completions`, { body: chat('hi', { stream: true }), onData: () => void seen() }),
    )
    expect([reply.status, reply.headers['llama-guard']]).toEqual([
      200,
      'input=skipped;why="stage-off", output=unjudged;code="pending"',
    ])
    expect(reply.text.startsWith(frame)).toBe(true)
    expect(reply.text).toMatch(/"finish_reason":"content_filter".*\n\ndata: \[DONE\]\n\n$/)
    expect(reply.text).not.toContain('UNSAFE')
  })

  it('lets nothing leave before the input is known to be safe', async () => {
    const middleware = llamaGuard(
      { guard: markerGuard({ delay: 150 }), cacheMax: 0, logLevel: 'silent', parallel: true },
      { LLAMA_GUARD_KEEP_ALIVE: 'true' },
    )
    const handler = streaming(': ping\n\n', 400, chunk({ content: 'fine' }))
    await serving(onNode([middleware], handler), async ({ port }) => {
      const client = await rawClient(port)
      client.write(post(chat('UNSAFE', { stream: true })))
      expect(await client.until(/^HTTP\/1.1 \d+/)).toMatch(/^HTTP\/1.1 451/)
      client.leave()
    })
  })

  it('still holds words, and comments with words, until they are judged', async () => {
    const { reply } = await streamed(streaming(': ping\n\n', ': so UNSAFE\n\n', 50, DONE), { keepAlive: true })
    expect([reply.status, reply.text.startsWith(': ping\n\n'), reply.text.includes('UNSAFE')]).toEqual([
      200,
      true,
      false,
    ])
  })

  it('is turned on for one request by override', async () => {
    const { reply } = await streamed(streaming(': ping\n\n', 30, chunk({ content: 'UNSAFE' })), {
      override: () => ({ keepAlive: true }),
    })
    expect(reply.status).toBe(200)
  })
})

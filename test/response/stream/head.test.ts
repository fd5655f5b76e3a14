// When a stream may begin: what has no words of the model does not turn an early 451 into a 200.
import { describe, expect, it } from 'vitest'
import { within } from '../../helpers/apps.js'
import { chunk } from '../../helpers/http.js'
import { streamed, writing } from './streamed.js'

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

const streaming = (...frames: (string | number)[]) => writing('text/event-stream', frames)

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

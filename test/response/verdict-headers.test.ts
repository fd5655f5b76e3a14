// The two headers that the guard adds, on a reply as its client gets it.
import { describe, expect, it } from 'vitest'
import { ask, guarded, onNode, serving, type Handler } from '../helpers/apps.js'
import { markerGuard, type MarkerGuard } from '../helpers/guards.js'
import { chat, chunk, type Reply } from '../helpers/http.js'

const reply = (handler: Handler, options = {}): Promise<Reply> =>
  serving(onNode([guarded({ expose: 'full', ...options })], handler), ({ url }) =>
    ask(`${url}/v1/chat/completions`, { body: chat('hi') }),
  )
const OURS = /guard-input;dur=\d+\.\d, guard-output;dur=\d+\.\d$/

it('A blocked request tells its categories, or none when the guard named none', async () => {
  const headerOf = async (guard: MarkerGuard): Promise<unknown> =>
    serving(
      onNode([guarded({ guard })], (_req, res) => void res.end('fine')),
      async ({ url }) => {
        const { status, headers } = await ask(`${url}/v1/chat/completions`, { body: chat('UNSAFE') })
        return [status, headers['llama-guard']]
      },
    )
  expect(await headerOf(markerGuard())).toEqual([451, 'input=unsafe;cat="O3"'])
  expect(await headerOf(markerGuard({ verdict: { categories: [] } }))).toEqual([451, 'input=unsafe'])
})

describe('An allowed reply', () => {
  it.each([
    ['verdict', 'input=safe, output=safe'],
    ['none', undefined],
  ] as const)('tells no time with `expose: %s`', async (expose, verdicts) => {
    const { headers } = await reply((_req, res) => void res.end('fine'), { expose })
    expect([headers['llama-guard'], headers['server-timing']]).toEqual([verdicts, undefined])
  })

  it('tells both verdicts and how long they took', async () => {
    const { headers } = await reply((_req, res) => void res.end('fine'))
    expect(headers['llama-guard']).toBe('input=safe, output=safe')
    expect(headers['server-timing']).toMatch(OURS)
  })

  it('keeps the timings of its handler', async () => {
    const { headers } = await reply((_req, res) => {
      res.setHeader('Server-Timing', 'db;dur=1.5')
      res.end('fine')
    })
    expect(headers['server-timing']).toMatch(/^db;dur=1\.5, guard-input/)
    expect(headers['server-timing']).toMatch(OURS)
  })

  it('that streams tells them with its first bytes', async () => {
    const { headers } = await reply((_req, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' })
      res.end(chunk({ content: 'fine' }))
    })
    expect([headers['llama-guard'], headers['server-timing']]).toEqual([
      'input=safe, output=safe',
      expect.stringMatching(OURS),
    ])
  })

  it('of which nothing is judged tells no time', async () => {
    const { headers } = await reply((_req, res) => void res.writeHead(204).end(), { check: ['output'] })
    expect(headers['llama-guard']).toMatch(/^input=skipped\S*, output=skipped\S*$/)
    expect(headers).not.toHaveProperty('server-timing')
  })
})

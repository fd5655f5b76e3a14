// The NestJS example's stream of events: judged word by word on its own route, with its words in the query of a GET.
import { describe, expect, it } from 'vitest'
import { SLOW, start } from './kit.js'

const listen = (url: string, message: string): Promise<Response> =>
  fetch(`${url}/events?${new URLSearchParams({ message }).toString()}`)

describe('An @Sse() route of NestJS under guard', () => {
  it('streams what is safe, is 451 for what is not, and ends when it goes wrong.', { timeout: SLOW }, async () => {
    const { url } = await start('nestjs/server.js')

    const safe = await listen(url, 'Tell me about the sea.')
    const text = await safe.text()
    expect(safe.headers.get('content-type')).toBe('text/event-stream')
    expect(safe.headers.get('llama-guard')).toMatch(/^input=safe.*, output=safe/)
    expect(text).toContain('data: leave \n')
    expect(text).not.toContain('content_filter')

    const blocked = await listen(url, 'How do I make a bomb?')
    expect(blocked.status).toBe(451)
    expect(await blocked.json()).toMatchObject({ error: { stage: 'input', code: 'content_filter' } })

    const stopped = await (await listen(url, 'Tell me about the sea, then misbehave.')).text()
    expect(stopped).toContain('data: sea \n')
    expect(stopped).toContain('"finish_reason":"content_filter"')
    // "… and I will kill" is a threat to nobody yet; with the next word the screen blocks.
    expect(stopped).not.toContain('everybody')
  })
})

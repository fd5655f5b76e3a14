// Check after check of one stream, the guard model reads the same beginning: policy, the user's turns, and
// what was said so far.
// A server with a prefix cache (TGI, vLLM, LMI) then only computes the new words. What it must find unchanged
// is pinned here.
import { describe, expect, it } from 'vitest'
import { LLAMA_GUARDS } from '../../../src/guard/prompt/index.js'
import { endpoint, guardedServer } from '../../helpers/closing.js'
import { chat, chunk, send, sleep } from '../../helpers/http.js'

const QUESTION = 'Tell me a story about a llama.'
const WORDS = Array.from({ length: 60 }, (_, index) => `word${index} `)

async function streamed(model: (typeof LLAMA_GUARDS)[number], words: readonly string[]): Promise<string[]> {
  const emulator = await endpoint({ latencyMs: 5 })
  const options = { guard: undefined, endpoint: 'llama-guard', model, windowChars: 40, timeoutMs: 60_000 }
  const { url } = await guardedServer(options, async (_req, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' })
    for (const word of words) {
      res.write(chunk({ content: word }))
      await sleep(3)
    }
    res.end(`${chunk({}, { finish: 'stop' })}data: [DONE]\n\n`)
  })
  const reply = await send(`${url}/v1/chat/completions`, { body: chat(QUESTION, { stream: true }) })
  expect(reply.status).toBe(200)
  return emulator.requests.map(({ prompt }) => prompt ?? '').slice(1)
}

/** From the start of the prompt to the end of what the agent has said. */
function beginning(prompt: string): string {
  const end = prompt.lastIndexOf('<END CONVERSATION>')
  return prompt.slice(0, end).replace(/[\s\\n]*$/, '')
}

describe('The prompts of one stream', () => {
  it.each(LLAMA_GUARDS)('begin with each other, one check after the other (%s).', async (model) => {
    const prompts = await streamed(model, WORDS)
    expect(prompts.length).toBeGreaterThan(2)
    for (const [index, prompt] of prompts.slice(1).entries()) {
      const before = beginning(prompts[index]!)
      expect(before).toContain(`User: ${QUESTION}`)
      expect(before).toContain('Agent: word0')
      expect(prompt.startsWith(before)).toBe(true)
    }
  })

  it('keep that beginning until a reply outgrows its span, and then for a whole span again.', async () => {
    const paragraphs = Array.from({ length: 120 }, (_, index) => `paragraph ${index} ${'and so on '.repeat(20)}`)
    const prompts = await streamed('llama-guard-3-8b', paragraphs)
    const said = prompts.map((prompt) => beginning(prompt))
    const moved = said.slice(1).filter((text, index) => !text.startsWith(said[index]!)).length
    const characters = paragraphs.join('').length
    expect(prompts.length).toBeGreaterThan(moved * 3)
    // A span of 8,000 characters moves on by 7,000 at a time.
    expect(moved).toBeLessThanOrEqual(Math.ceil(characters / 6000))
  })
})

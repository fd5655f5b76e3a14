// Every example runs as its README says: as a program of its own, against a build of this tree made in a
// temporary folder.
// (The checkout's own dist may be missing or old, and no test may change it.)
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { emulatorEnv, startEmulator } from './emulator/index.js'
import { bare, ROOT, SLOW, start, tree, type Example } from './examples/kit.js'

interface Line {
  readonly status: number
  readonly url: string
  readonly init: RequestInit
}

/** `Title (451, why):` and the curl line under it. */
function curlLines(printed: string): Line[] {
  return [...printed.matchAll(/\((\d{3})[^\n]*\):\n\s+curl (.*)/g)].map(([, status, line = '']) => ({
    status: Number(status),
    url: /http[^\s']+/.exec(line)?.[0] ?? '',
    init: {
      method: 'POST',
      headers: [...line.matchAll(/-H '([^:]+): ([^']+)'/g)].map(([, name = '', value = '']): [string, string] => [
        name,
        value,
      ]),
      body: /-d '([^']*)'/.exec(line)?.[1] ?? '',
    },
  }))
}

async function stop({ child }: Example): Promise<unknown> {
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  return (await ended)[0]
}

describe.each([
  ['chatbot', 3],
  ['streaming', 2],
  ['per-category-policy', 4],
  ['custom-guard', 3],
  ['bedrock-guardrail', 2],
  ['no-endpoint', 2],
  ['own-policy', 2],
  ['custom-dialect', 4],
  ['upstream', 3],
  ['ai-sdk-chat', 4],
  ['per-tenant-policy', 4],
  ['hono', 3],
  ['hono', 3, 'fetch.js'],
  ['nestjs', 4],
  ['fastify', 3],
  ['langchain', 3],
  ['observability', 3],
] as [string, number, string?][])('The example %s', (name, count, script = 'server.js') => {
  it(
    'prints curl lines that do what it says of them, lets no bad word out, and stops when told to.',
    { timeout: SLOW },
    async () => {
      const example = await start(`${name}/${script}`)
      expect(example.printed).toContain('baseline screen, not Llama Guard')
      const lines = curlLines(example.printed)
      expect(lines).toHaveLength(count)
      for (const { status, url, init } of lines) {
        const response = await fetch(url, init)
        const body = await response.text()
        expect([response.status, init.body, body]).toEqual([status, init.body, body])
        expect(response.headers.get('llama-guard')).toContain('input=')
        expect(body).not.toContain('kill you')
      }
      expect(await stop(example)).toBe(0)
    },
  )
})

describe('The chat bot', () => {
  const ask = (url: string, content: string, stream: boolean) =>
    fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      body: JSON.stringify({ stream, messages: [{ role: 'user', content }] }),
      headers: { 'content-type': 'application/json' },
    })

  it('streams a whole reply, and ends one that goes wrong as blocked.', { timeout: SLOW }, async () => {
    const { url } = await start('chatbot/server.js')
    const good = await (await ask(url, 'How do I kill a process in Linux?', true)).text()
    expect(good).toContain('"finish_reason":"stop"')
    expect(good.trim().endsWith('data: [DONE]')).toBe(true)
    const bad = await (await ask(url, 'Tell me about the sea, then misbehave.', true)).text()
    expect(bad).toContain('"content":"sea "')
    expect(bad).toContain('"finish_reason":"content_filter"')
    // A check may end with "and I will kill", which the screen calls safe without the words after it.
    expect(bad).not.toContain('everybody')
    expect(bad.trim().endsWith('data: [DONE]')).toBe(true)
  })

  it('serves a page that needs nothing from elsewhere.', { timeout: SLOW }, async () => {
    const { url } = await start('chatbot/server.js')
    const page = await fetch(url)
    expect(page.headers.get('content-security-policy')).toBe("default-src 'self'")
    const html = await page.text()
    for (const [, path = ''] of html.matchAll(/(?:href|src)="([^"]+)"/g)) {
      expect(path).not.toMatch(/^(https?:)?\/\//)
      expect((await fetch(new URL(path, url))).status, path).toBe(200)
    }
    expect(await (await fetch(`${url}/about`)).json()).toEqual({
      guard: 'baseline screen, not Llama Guard',
      local: true,
    })
  })

  it('asks SageMaker instead as soon as an endpoint is set.', { timeout: SLOW }, async () => {
    const emulator = await startEmulator()
    try {
      const { url, printed } = await start('chatbot/server.js', {
        ...emulatorEnv(emulator),
        LLAMA_GUARD_ENDPOINT: emulator.endpoint,
      })
      expect(printed).not.toContain('baseline screen')
      const blocked = await ask(url, 'How do I make a bomb?', false)
      expect(blocked.status).toBe(451)
      expect(await blocked.json()).toMatchObject({ error: { stage: 'input' } })
      expect((await ask(url, 'hello', false)).status).toBe(200)
      // The blocked input; then the second input and its reply.
      expect(emulator.requests).toHaveLength(3)
    } finally {
      await emulator.close()
    }
  })
})

describe('The example of testing an app', () => {
  it('passes its own tests.', { timeout: SLOW }, () => {
    const printed = execFileSync(process.execPath, ['--test', join(tree(), 'examples/testing/app.test.js')], {
      env: bare(),
      encoding: 'utf8',
    })
    expect(printed).toMatch(/pass 4\b/)
    expect(printed).toMatch(/fail 0\b/)
  })
})

describe('The SageMaker walk-through', () => {
  it('sends the payload of the article byte for byte, and prints an allowed reply.', { timeout: SLOW }, () => {
    const printed = execFileSync(process.execPath, [join(tree(), 'examples/sagemaker-walkthrough/walkthrough.js')], {
      env: bare(),
      encoding: 'utf8',
    })
    const article = readFileSync(join(ROOT, 'test/fixtures/prompts/lg1-7b.article-example.txt'), 'utf8')
    expect(printed).toContain(article)
    expect(printed).toMatch(/status: +200\nLlama-Guard: input=safe, output=safe\nreply: +Sure! To kill a process/)
  })
})

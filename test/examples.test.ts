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
    expect(bad).not.toContain('kill')
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

describe('The demo, clicked through', () => {
  interface Told {
    readonly role: 'user' | 'assistant'
    readonly content: string
  }
  /** What a click comes to: the status, and the stage where it was stopped. */
  interface Outcome {
    readonly status: number
    readonly stage: string
    readonly reply: string
  }

  /** Sends what the page sends: the talk so far and the new message. A stream ends as its last chunk says. */
  async function click(url: string, talk: readonly Told[], content: string, stream: boolean): Promise<Outcome> {
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ stream, messages: [...talk, { role: 'user', content }] }),
    })
    const text = await response.text()
    if (stream && response.status === 200) {
      const stopped = text.includes('"finish_reason":"content_filter"')
      const reply = [...text.matchAll(/"content":"([^"]*)"/g)].map(([, word = '']) => word).join('')
      return { status: stopped ? 451 : 200, stage: stopped ? 'output' : 'none', reply }
    }
    const body = JSON.parse(text) as {
      error?: { stage: string }
      choices?: readonly { message: { content: string } }[]
    }
    return {
      status: response.status,
      stage: body.error?.stage ?? 'none',
      reply: body.choices?.[0]?.message.content ?? '',
    }
  }

  /** Clicks one after the other. The page keeps what was answered, and forgets what was blocked. */
  async function walk(url: string, messages: readonly string[], stream: boolean): Promise<string[]> {
    const talk: Told[] = []
    const outcomes: string[] = []
    for (const content of messages) {
      const { status, stage, reply } = await click(url, talk, content, stream)
      if (status === 200) talk.push({ role: 'user', content }, { role: 'assistant', content: reply })
      outcomes.push(`${content}: ${status} ${stage}`)
    }
    return outcomes
  }

  const orders = (all: readonly string[]): string[][] =>
    all.length < 2
      ? [[...all]]
      : all.flatMap((first) => orders(all.filter((other) => other !== first)).map((rest) => [first, ...rest]))

  it(
    'does what each button and each curl line says, in any order, whole and as a stream.',
    { timeout: 2 * SLOW },
    async () => {
      const { url, printed } = await start('chatbot/server.js')
      const page = await (await fetch(url)).text()
      const buttons = [...page.matchAll(/data-say="([^"]+)"/g)].map(([, say = '']) => say)
      const lines = curlLines(printed)
      const promised = new Map(
        lines.map(({ status, init }) => [/"content":\s*"([^"]+)"/.exec(init.body as string)?.[1], status]),
      )
      for (const say of promised.keys()) expect(buttons).toContain(say)

      const alone = new Map<string, string>()
      for (const say of buttons) {
        const [outcome = ''] = await walk(url, [say], false)
        alone.set(say, outcome)
        if (promised.has(say)) expect(outcome).toContain(`: ${promised.get(say)} `)
      }
      expect([...alone.values()].map((outcome) => outcome.split(' ').at(-1))).toEqual(
        expect.arrayContaining(['none', 'input', 'output']),
      )
      for (const order of orders(buttons.slice(0, 4)))
        for (const stream of [false, true])
          expect(await walk(url, order, stream)).toEqual(order.map((say) => alone.get(say)))
    },
  )

  it(
    'answers what the bot says it knows after any button, and stops it where it misbehaves.',
    { timeout: 2 * SLOW },
    async () => {
      const { url } = await start('chatbot/server.js')
      const page = await (await fetch(url)).text()
      const buttons = [...page.matchAll(/data-say="([^"]+)"/g)].map(([, say = '']) => say)
      const recipes = [
        ['hello', '200 none'],
        ['Tell me about the sea.', '200 none'],
        ['Tell me about a Linux process', '200 none'],
        ['Tell me about the sea, then misbehave.', '451 output'],
        ['misbehave', '451 output'],
        ['How do I make a bomb?', '451 input'],
      ] as const
      for (const before of [...buttons, ...recipes.map(([say]) => say)])
        for (const [say, outcome] of recipes)
          expect((await walk(url, [before, say], false)).at(-1), `after ${before}`).toBe(`${say}: ${outcome}`)
    },
  )
})

describe('The page of the streaming example', () => {
  it('is told of every word and check of its run, and of no other.', { timeout: SLOW }, async () => {
    const { url } = await start('streaming/server.js')
    const watch = await fetch(`${url}/timeline/run-1`)
    const other = await fetch(`${url}/timeline/run-2`)
    const response = await fetch(`${url}/v1/chat/completions?streaming=window&guardMs=1`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-request-id': 'run-1' },
      body: JSON.stringify({ stream: true, messages: [{ role: 'user', content: 'Tell me about the sea.' }] }),
    })
    await response.text()
    const told = new TextDecoder()
    let text = ''
    for await (const chunk of watch.body ?? []) {
      text += told.decode(chunk as Uint8Array)
      if (text.includes('boats') && /"stage":"output"/.test(text) && text.includes('"lane":"verdict"')) break
    }
    expect(text).toContain('"lane":"model"')
    const reader = other.body?.getReader()
    expect(told.decode((await reader?.read())?.value)).toBe(': watching\n\n')
    await reader?.cancel()
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

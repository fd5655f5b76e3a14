// Spans by the real SDK: their place in the tree of the request, their attributes, and not a word of what was said.
import type * as Http from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { context, propagation, SpanKind, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { ExpressInstrumentation } from '@opentelemetry/instrumentation-express'
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http'
import { InMemorySpanExporter, type ReadableSpan, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node'
import type Express from 'express'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { chat, chunk, completion } from '../helpers/http.js'
import { markerGuard, memoryLogger } from '../helpers/guards.js'
import { llamaGuard } from '../../src/llama-guard.js'
import type { Options } from '../../src/options/index.js'
import { instrument } from '../../src/telemetry/otel/index.js'

const exporter = new InMemorySpanExporter()
const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
const instrumentations = [new HttpInstrumentation(), new ExpressInstrumentation()]
let stop: () => void
beforeAll(() => {
  provider.register({ contextManager: new AsyncLocalStorageContextManager() })
  for (const instrumentation of instrumentations) {
    instrumentation.setTracerProvider(provider)
    instrumentation.enable()
  }
  stop = instrument()
})
afterEach(() => exporter.reset())
afterAll(async () => {
  stop()
  for (const instrumentation of instrumentations) instrumentation.disable()
  await provider.shutdown()
  trace.disable()
  context.disable()
  propagation.disable()
})

// Required after the instrumentations are on, as an app with `node --require` does; an import would come before.
async function traced(options: Options, ask: (url: string) => Promise<unknown>): Promise<ReadableSpan[]> {
  const require = createRequire(import.meta.url)
  const http = require('node:http') as typeof Http
  const express = require('express') as typeof Express
  const app = express()
  app.use(llamaGuard({ guard: markerGuard(), logger: memoryLogger(), breaker: false, ...options }, {}))
  app.use((req, res) => {
    if (req.headers.accept === 'text/event-stream') {
      res.writeHead(200, { 'content-type': 'text/event-stream' })
      for (let word = 0; word < 60; word++) res.write(chunk({ content: `PLANTED word ${word} ` }))
      res.end('data: [DONE]\n\n')
    } else res.json(completion('PLANTED reply'))
  })
  const server = http.createServer(app)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  try {
    await ask(`http://127.0.0.1:${port}`)
    await vi.waitFor(() => expect(httpSpan()).toBeDefined())
    return exporter.getFinishedSpans()
  } finally {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
}

const httpSpan = (): ReadableSpan | undefined =>
  exporter.getFinishedSpans().find(({ kind }) => kind === SpanKind.SERVER)
const guardSpans = (spans: readonly ReadableSpan[]): ReadableSpan[] =>
  spans.filter(({ name }) => name.startsWith('apply_guardrail'))
const post = (url: string, body: object | string, headers = {}): Promise<unknown> =>
  fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  }).then((response) => response.text())

describe('instrument()', () => {
  it('makes one span a stage, within the trace of the request', async () => {
    const traceparent = `00-${'ab'.repeat(16)}-${'cd'.repeat(8)}-01`
    const spans = await traced({}, (url) => post(url, chat('PLANTED question'), { traceparent, 'x-request-id': 'r-1' }))
    const [input, output, ...others] = guardSpans(spans)
    expect(others).toEqual([])
    for (const [span, stage] of [[input!, 'input'] as const, [output!, 'output'] as const]) {
      expect(span.name).toBe('apply_guardrail marker')
      expect(span.spanContext().traceId).toBe('ab'.repeat(16))
      const parent = spans.find((other) => other.spanContext().spanId === span.parentSpanContext?.spanId)
      expect(parent?.spanContext().traceId).toBe('ab'.repeat(16))
      expect(span.attributes).toMatchObject({
        'gen_ai.operation.name': 'apply_guardrail',
        'gen_ai.guardrail.name': 'marker',
        'gen_ai.guardrail.target': stage,
        'gen_ai.guardrail.decision': 'safe',
        'gen_ai.guardrail.action': 'allow',
        'gen_ai.provider.name': 'custom',
        'llama_guard.request_id': 'r-1',
        'llama_guard.dialect': 'openai-chat',
        'llama_guard.checks': 1,
      })
      expect(span.events.map(({ name }) => name)).toEqual(['llama_guard.check'])
    }
  })

  it('names what was blocked and what failed in the words of the guard', async () => {
    const verdict = { score: 0.75, tokens: { input: 80, output: 4 } }
    const spans = await traced({ guard: markerGuard({ verdict }) }, async (url) => {
      await post(url, chat('UNSAFE'))
      await post(url, chat('BROKEN'))
      await post(url, '{"messages":')
    })
    const [blocked, failed, unread] = guardSpans(spans)
    expect(blocked!.attributes).toMatchObject({
      'gen_ai.guardrail.decision': 'unsafe',
      'gen_ai.guardrail.action': 'block',
      'gen_ai.guardrail.categories': ['O3'],
      'gen_ai.guardrail.score': 0.75,
      'gen_ai.usage.input_tokens': 80,
    })
    expect(failed!.attributes).toMatchObject({ 'gen_ai.guardrail.decision': 'unjudged', 'error.type': 'guard_error' })
    expect(failed!.status).toEqual({ code: 2, message: 'guard_error' })
    expect(unread!.attributes).toMatchObject({ 'gen_ai.guardrail.action': 'unavailable', 'error.type': 'invalid_json' })
  })

  it('has the windows of a stream as events of one span, and counts them', async () => {
    const spans = await traced({ windowChars: 20, guard: markerGuard({ delay: 1 }), cacheMax: 0 }, (url) =>
      post(url, chat('hi', { stream: true }), { accept: 'text/event-stream' }),
    )
    const output = guardSpans(spans).find(({ attributes }) => attributes['gen_ai.guardrail.target'] === 'output')!
    expect(output.attributes['llama_guard.checks']).toBe(output.events.length)
    expect(output.events.length).toBeGreaterThan(1)
    expect(output.attributes['llama_guard.stream']).toBe(true)
  })

  it('tells of what passed unjudged on the span of the request', async () => {
    const spans = await traced({ skip: () => true }, (url) => post(url, chat('hi')))
    expect(guardSpans(spans)).toEqual([])
    const told = spans.flatMap(({ events }) => events).filter(({ name }) => name === 'llama_guard.not_judged')
    expect(told.map(({ attributes }) => attributes)).toEqual([
      { 'llama_guard.reason': 'skip-hook', 'llama_guard.count': 1, 'gen_ai.guardrail.target': 'input' },
    ])
  })

  it('ends the span of a client that left', async () => {
    const spans = await traced({ guard: markerGuard({ delay: 200 }) }, async (url) => {
      const controller = new AbortController()
      setTimeout(() => controller.abort(), 60)
      await fetch(`${url}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(chat('hi')),
        signal: controller.signal,
      }).catch(() => undefined)
      await vi.waitFor(() => expect(guardSpans(exporter.getFinishedSpans())).toHaveLength(1))
    })
    expect(guardSpans(spans)[0]!.attributes['gen_ai.guardrail.decision']).toBeUndefined()
  })

  it('exports no word that was said', async () => {
    const talkative = {
      model: 'talkative',
      judge: (turns: readonly { text: string }[]) => Promise.reject(new Error(`I saw ${turns.at(-1)!.text}`)),
    }
    const spans = await traced({ guard: talkative }, (url) => post(url, chat('PLANTED question')))
    const said = guardSpans(spans).map(({ name, attributes, events, status }) =>
      JSON.stringify([name, attributes, events, status]),
    )
    expect(said).toHaveLength(1)
    expect(said[0]).not.toMatch(/PLANTED|I saw/)
  })
})

// Spans by the real SDK: their place in the tree of the request, their attributes, and not a word of what was said.
import type * as Http from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { context, type MeterProvider, propagation, type Span, SpanKind, trace, type Tracer } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { ExpressInstrumentation } from '@opentelemetry/instrumentation-express'
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http'
import { InMemorySpanExporter, type ReadableSpan, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node'
import type Express from 'express'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { endpoint } from '../helpers/closing.js'
import { chat, chunk, completion, serve, sleep } from '../helpers/http.js'
import { markerGuard, memoryLogger } from '../helpers/guards.js'
import { llamaGuard } from '../../src/llama-guard.js'
import type { LlamaGuardOptions } from '../../src/options/index.js'
import { defaultLogger } from '../../src/telemetry/log.js'
import { instrument } from '../../src/telemetry/otel/index.js'
import { withProtection } from '../../src/options/protection.js'

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
async function traced(options: LlamaGuardOptions, ask: (url: string) => Promise<unknown>): Promise<ReadableSpan[]> {
  const require = createRequire(import.meta.url)
  const http = require('node:http') as typeof Http
  const express = require('express') as typeof Express
  const app = express()
  app.use(
    llamaGuard({ guard: markerGuard(), logger: memoryLogger(), ...withProtection({ breaker: false }), ...options }, {}),
  )
  app.use(async (req, res) => {
    if (req.headers.accept === 'text/event-stream') {
      res.writeHead(200, { 'content-type': 'text/event-stream' })
      for (let word = 0; word < 60; word++) {
        res.write(chunk({ content: `PLANTED word ${word} ` }))
        // A check begins at the end of a turn of the event loop.
        if (word % 10 === 0) await sleep(5)
      }
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
const post = (url: string, body: object | string, headers = {}, init: RequestInit = {}): Promise<unknown> =>
  fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
    ...init,
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
      await post(url, chat('hi'), {}, { signal: controller.signal }).catch(() => undefined)
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

describe('An SDK that fails', () => {
  const broken = (): never => {
    throw new Error('the SDK is broken')
  }
  const span = {
    spanContext: broken,
    setAttributes: broken,
    addEvent: broken,
    setStatus: broken,
    end: broken,
  } as unknown as Span
  const meterProvider = {
    getMeter: () => ({ createHistogram: () => ({ record: broken }), createCounter: () => ({ add: broken }) }),
  } as unknown as MeterProvider

  it.each([
    ['at the start of a span', broken],
    ['in every method of a span', () => span],
  ])('%s breaks no request, and no process', async (_where, startSpan) => {
    const uncaught = vi.fn()
    process.on('uncaughtException', uncaught)
    const stopBroken = instrument({
      tracerProvider: { getTracer: () => ({ startSpan }) as unknown as Tracer },
      meterProvider,
      propagate: true,
    })
    try {
      const emulator = await endpoint()
      const lines: string[] = []
      await traced(
        {
          guard: 'sagemaker',
          endpoint: emulator.endpoint,
          logger: defaultLogger('debug', { write: (line: string) => void lines.push(line) }),
          guards: [{ shadow: markerGuard(), rate: 1 }],
        },
        async (url) => {
          expect(await post(url, chat('hello'))).toContain('PLANTED reply')
          expect(await post(url, chat('bomb'))).toContain('content_policy_violation')
          await fetch(url)
        },
      )
      expect(lines.filter((line) => line.includes('"action"')).length).toBe(4)
    } finally {
      stopBroken()
    }
    await new Promise((resolve) => setTimeout(resolve, 20))
    process.off('uncaughtException', uncaught)
    expect(uncaught).not.toHaveBeenCalled()
  })
})

describe('The trace', () => {
  it('goes to SageMaker only where the operator says so, with the span of the stage as parent', async () => {
    const emulator = await endpoint()
    const header = (): (string | string[] | undefined)[] =>
      emulator.requests.map(({ headers }) => headers['x-amzn-trace-id'])
    const traceparent = `00-${'ab'.repeat(16)}-${'cd'.repeat(8)}-01`
    const asked = (options: LlamaGuardOptions): Promise<ReadableSpan[]> =>
      traced({ guard: 'sagemaker', endpoint: emulator.endpoint, cacheMax: 0, ...options }, async (url) => {
        await post(url, chat('hello'), { traceparent })
        await post(url, chat('hello again'), { traceparent })
      })
    await asked({})
    expect(header()).toEqual([undefined, undefined, undefined, undefined])

    stop()
    stop = instrument({ propagate: true })
    try {
      const before = emulator.requests.length
      exporter.reset()
      const parents = guardSpans(await asked({})).map(
        (span) => `Root=1-abababab-${'ab'.repeat(12)};Parent=${span.spanContext().spanId};Sampled=1`,
      )
      expect(parents).toHaveLength(4)
      expect(header().slice(before)).toEqual(parents)
    } finally {
      stop()
      stop = instrument()
    }
  })

  it('goes to an OpenAI-compatible server as `traceparent`', async () => {
    const seen: (string | string[] | undefined)[] = []
    const server = await serve((req, res) => {
      seen.push(req.headers['traceparent'])
      req.resume()
      res.writeHead(200, { 'content-type': 'application/json' })
      res.end(JSON.stringify({ choices: [{ text: 'safe', finish_reason: 'stop' }] }))
    })
    const ask = (): Promise<ReadableSpan[]> =>
      traced({ guard: 'openai', guardUrl: `${server.url}/v1`, cacheMax: 0 }, (url) => post(url, chat('hello')))
    await ask()
    expect(seen).toEqual([undefined, undefined])
    stop()
    stop = instrument({ propagate: true })
    exporter.reset()
    const spans = guardSpans(await ask())
    stop()
    stop = instrument()
    await server.close()
    expect(seen.slice(2)).toEqual(
      spans.map((span) => `00-${span.spanContext().traceId}-${span.spanContext().spanId}-01`),
    )
  })

  it('is named by every line of the default logger, and by none outside of a request', async () => {
    const lines: Record<string, unknown>[] = []
    const logger = defaultLogger('debug', { write: (line: string) => void lines.push(JSON.parse(line)) })
    const traceparent = `00-${'ab'.repeat(16)}-${'cd'.repeat(8)}-01`
    await traced({ logger }, (url) => post(url, chat('PLANTED question'), { traceparent }))
    logger.info({}, 'outside')
    expect(lines.map(({ msg, trace_id }) => [msg, trace_id])).toEqual([
      ['judged safe', 'ab'.repeat(16)],
      ['judged safe', 'ab'.repeat(16)],
      ['outside', undefined],
    ])
    for (const { span_id } of lines.slice(0, 2)) expect(span_id).toMatch(/^[0-9a-f]{16}$/)
    expect(JSON.stringify(lines)).not.toContain('PLANTED')
  })
})

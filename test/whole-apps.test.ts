// Apps as people write them, strictly typed, with real clients and the middleware that stands around a chat. The Vercel
// AI SDK with useChat and NestJS with @Sse are programs: examples/ai-sdk-chat and examples/nestjs.
import { InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node'
import compression from 'compression'
import express, { type Request, type Response } from 'express'
import { rateLimit } from 'express-rate-limit'
import session from 'express-session'
import helmet from 'helmet'
import { PassThrough } from 'node:stream'
import { gunzipSync } from 'node:zlib'
import pino from 'pino'
import { pinoHttp } from 'pino-http'
import { Registry } from 'prom-client'
import { describe, expect, it, vi } from 'vitest'
import { llamaGuard, type RequestEvent, type RequestOptions } from '../src/index.js'
import { instrument } from '../src/telemetry/otel/index.js'
import { metrics } from '../src/telemetry/prometheus/index.js'
import { EXPRESSES, serving } from './helpers/apps.js'
import { markerGuard } from './helpers/guards.js'
import { chat, chunk, completion, send } from './helpers/http.js'

describe('Session, helmet, compression, rate limit, pino-http and OpenTelemetry', () => {
  it.each(EXPRESSES)(
    'stay whole around a guard on %s, for what is allowed, blocked and streamed.',
    async (_name, module) => {
      const exporter = new InMemorySpanExporter()
      const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
      const stop = instrument({ tracerProvider: provider })
      const sink = new PassThrough()
      let logged = ''
      sink.on('data', (bytes) => (logged += String(bytes)))
      const app = module()
      app.use(
        pinoHttp({ logger: pino(sink) }),
        helmet(),
        rateLimit({ limit: 4, standardHeaders: 'draft-8', legacyHeaders: false, validate: false }),
        session({ secret: 's', resave: false, saveUninitialized: true }),
        compression({ threshold: 0 }),
        express.json(),
        llamaGuard({ guard: markerGuard() }),
      )
      app.post('/v1/chat/completions', (req: Request, res: Response) => {
        const { stream, messages } = req.body as { stream?: boolean; messages: { content: string }[] }
        if (stream !== true) return void res.json(completion(`You said: ${messages[0]?.content ?? ''}`))
        res.type('text/event-stream').end(chunk({ content: 'fine' }) + 'data: [DONE]\n\n')
      })
      await serving(app, async ({ url }) => {
        const ask = (text: string, more: object = {}) =>
          send(`${url}/v1/chat/completions`, { body: chat(text, more), headers: { 'accept-encoding': 'gzip' } })
        const replies = [
          await ask('hello'),
          await ask('UNSAFE'),
          await ask('hello', { stream: true }),
          await ask('hello'),
        ]
        expect(replies.map(({ status }) => status)).toEqual([200, 451, 200, 200])
        for (const { headers, body } of replies) {
          expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'content-encoding': 'gzip' })
          expect([headers['set-cookie']?.length, headers['ratelimit'] !== undefined]).toEqual([1, true])
          expect(gunzipSync(body).toString()).toMatch(/You said: hello|content_filter|"fine"/)
        }
        // The limit answers before the guard is asked, in its own words.
        const limited = await ask('UNSAFE')
        expect([limited.status, limited.headers['llama-guard']]).toEqual([429, undefined])
      })
      stop()
      const lines = logged
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as Record<string, unknown>)
      expect(lines.filter(({ msg }) => msg === 'request completed')).toHaveLength(5)
      // Of what was plainly safe there is no line at info, and one of what was not.
      expect(lines.filter(({ stage }) => stage !== undefined)).toMatchObject([{ msg: 'blocked', categories: ['O3'] }])
      // Four requests, three replies; equal questions are remembered.
      expect(exporter.getFinishedSpans()).toHaveLength(7)
      await provider.shutdown()
    },
  )
})

describe('An app of many tenants', () => {
  it('has its rules in a database, its audit in another, and counts that name no tenant.', async () => {
    const rules = new Map<string, RequestOptions>([
      ['clinic', { policy: { actions: { O3: 'flag' } } }],
      ['school', { mode: 'shadow' }],
      ['press', { check: ['output'] }],
    ])
    const table: RequestEvent[] = []
    const register = new Registry()
    const counted = metrics({ register })
    const guard = llamaGuard<Request>({
      guard: markerGuard(),
      logger: false,
      override: async (req) => (await Promise.resolve(rules.get(String(req.get('x-tenant'))))) ?? {},
      context: (req) => ({ tenant: String(req.get('x-tenant')) }),
      audit: { write: async (row: RequestEvent) => void (await Promise.resolve(), table.push(row)) },
    })
    const app = express()
    app.get('/metrics', counted)
    app.post('/chat', guard, (_req, res) => res.json(completion('fine')))
    await serving(app, async ({ url }) => {
      const ask = async (tenant: string, text: string): Promise<number> =>
        (await send(`${url}/chat`, { body: chat(text), headers: { 'x-tenant': tenant } })).status
      for (const tenant of ['clinic', 'school', 'press']) expect(await ask(tenant, 'UNSAFE')).toBe(200)
      expect(await ask('bank', 'UNSAFE')).toBe(451)
      await vi.waitFor(() => expect(table).toHaveLength(4))
      expect(table.map(({ context, status }) => [context?.['tenant'], status])).toEqual([
        ['clinic', 200],
        ['school', 200],
        ['press', 200],
        ['bank', 451],
      ])
      expect(JSON.stringify(table)).not.toContain('UNSAFE')
      const { text } = await send(`${url}/metrics`)
      expect(text).toContain('llama_guard_judgements_total{stage="input",verdict="unsafe",action="block",code=""} 1')
      expect(text).not.toMatch(/clinic|school|press|bank/)
    })
    counted.close()
    await guard.close()
  })
})

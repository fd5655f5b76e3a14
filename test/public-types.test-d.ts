// What TypeScript users see of the package. Checked by the compiler (npm run typecheck); nothing here runs.
import express, { type Request, type RequestHandler } from 'express'
import { createServer } from 'node:http'
import { expectTypeOf } from 'vitest'
import { createGuard, isLlamaGuardError, llamaGuard, redisStore } from '../src/index.js'
import type {
  Backend,
  Category,
  Conversation,
  Dashboard,
  Decision,
  ErrorCode,
  Guard,
  GuardedRequest,
  LlamaGuard,
  LlamaGuardOptions,
  RequestOptions,
  RequestState,
  Verdict,
  VerdictEvent,
  LlamaGuardError,
} from '../src/index.js'

// One middleware for Express, a route of it, and bare node:http.
const guard = llamaGuard()
expectTypeOf(guard).toExtend<LlamaGuard>()
expectTypeOf(guard).toExtend<RequestHandler>()
express()
  .use(guard)
  .use('/v1', guard)
  .post('/chat', guard, (_req, res) => void res.end())
createServer((req, res) => guard(req, res, () => res.end()))
express().use('/guard', guard.dashboard({ token: process.env['TOKEN'], playground: true }))
expectTypeOf(guard.dashboard).returns.toEqualTypeOf<Dashboard>()
expectTypeOf(guard.close).returns.resolves.toBeVoid()
expectTypeOf(guard.stats().guards[0]!.model).toBeString()

// LlamaGuardOptions: everything optional, nothing unknown, literals kept.
expectTypeOf<Record<string, never>>().toExtend<LlamaGuardOptions>()
expectTypeOf<RequestOptions>().toExtend<LlamaGuardOptions>()
expectTypeOf<LlamaGuardOptions['guard']>().toEqualTypeOf<Backend | Guard | undefined>()
expectTypeOf<LlamaGuardOptions['onError']>().toEqualTypeOf<'closed' | 'open' | undefined>()
expectTypeOf<LlamaGuardOptions['check']>().toEqualTypeOf<readonly ('input' | 'output')[] | undefined>()
expectTypeOf<NonNullable<LlamaGuardOptions['skip']>>().toEqualTypeOf<(req: GuardedRequest) => boolean>()
expectTypeOf<NonNullable<LlamaGuardOptions['override']>>().returns.toEqualTypeOf<
  RequestOptions | undefined | Promise<RequestOptions | undefined>
>()
expectTypeOf<NonNullable<LlamaGuardOptions['onVerdict']>>().parameter(0).toEqualTypeOf<VerdictEvent>()
// @ts-expect-error: a name that does not exist
llamaGuard({ endPoint: 'x' })
// @ts-expect-error: a promise is always truthy, so it would skip every request
llamaGuard({ skip: async () => false })
// @ts-expect-error: what belongs to the whole middleware cannot differ from request to request
llamaGuard({ override: () => ({ guard: 'local' as const }) })

// A policy, an endpoint and the places of words are one option each; of a policy, a request may change a part.
llamaGuard({ endpoint: { name: 'e', variant: 'v' }, policy: { categories: [{ id: 'O1', name: 'Violence' }] } })
llamaGuard({ policy: 'policy.json', dialects: ['openai-chat', { in: 'message', out: 'reply' }] })
llamaGuard({ override: () => ({ policy: { actions: { O1: 'flag' }, url: 'https://example.com' } }) })
llamaGuard({ cacheStore: redisStore('redis://localhost', { secret: 's' }) })
createGuard({ endpoint: { name: 'e' }, policy: 'policy.json' })
// @ts-expect-error: a guard has one prompt
llamaGuard({ override: () => ({ policy: { task: 'x' } }) })
// @ts-expect-error: what a client reads of a policy is the middleware's
createGuard({ policy: { url: 'https://example.com' } })
// @ts-expect-error: a part of `policy` since 1.0
llamaGuard({ categories: [{ id: 'O1', name: 'Violence' }] })

// A guard of one's own needs one method, and cannot forget the categories.
llamaGuard({ guard: { judge: async (conversation) => ({ safe: conversation.length > 0, categories: [] }) } })
// @ts-expect-error: a verdict says which categories
llamaGuard({ guard: { judge: async () => ({ safe: true }) } })
expectTypeOf<Parameters<Guard['judge']>[0]>().toEqualTypeOf<Conversation>()
expectTypeOf<Awaited<ReturnType<Guard['judge']>>>().toEqualTypeOf<Verdict>()
expectTypeOf<{ id: string; name: string }>().toExtend<Category>()

// Errors narrow, and their codes are a closed set.
const caught: unknown = new Error()
if (isLlamaGuardError(caught)) expectTypeOf(caught).toEqualTypeOf<LlamaGuardError>()
expectTypeOf<'guard_timeout' | 'unreadable_request' | 'endpoint_missing'>().toExtend<ErrorCode>()
expectTypeOf<LlamaGuardError['status']>().toBeNumber()

// What a handler finds on its request.
expectTypeOf<GuardedRequest['llamaGuard']>().toEqualTypeOf<RequestState | undefined>()
expectTypeOf<RequestState['signal']>().toEqualTypeOf<AbortSignal>()
expectTypeOf<RequestState['input']>().toEqualTypeOf<Decision | undefined>()
expectTypeOf<Decision['action']>().toEqualTypeOf<'allow' | 'block' | 'unavailable'>()

// In an Express app the request has the field without a cast, and hooks may ask for Express' own request.
express().get('/', (req, res) => void res.json(req.llamaGuard?.input?.action))
expectTypeOf<Request['llamaGuard']>().toEqualTypeOf<RequestState | undefined>()
llamaGuard({ skip: (req: Request) => req.path === '/health' })
llamaGuard({ context: (req: Request) => ({ tenant: req.hostname }) })
llamaGuard<Request>({
  skip: (req) => req.ip === '127.0.0.1',
  context: (req) => ({ tenant: req.get('x-tenant') ?? '' }),
})
llamaGuard({ skip: (req) => req.url === '/health' && req.llamaGuard === undefined })

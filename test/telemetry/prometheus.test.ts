// The metrics of any app: each kind of traffic counted once, by closed labels, with nothing of what was said.
import { Registry } from 'prom-client'
import { describe, expect, it, vi } from 'vitest'
import { llamaGuard } from '../../src/llama-guard.js'
import type { LlamaGuard } from '../../src/llama-guard.js'
import type { LlamaGuardOptions } from '../../src/options/index.js'
import { metrics, type MetricsHandler } from '../../src/telemetry/prometheus/index.js'
import { closing } from '../helpers/closing.js'
import { markerGuard, memoryLogger } from '../helpers/guards.js'
import { chat, completion, send, serve, type Running } from '../helpers/http.js'
import { withProtection } from '../../src/options/protection.js'

interface App {
  readonly server: Running
  readonly guard: LlamaGuard
  readonly handler: MetricsHandler
  /** The lines of /metrics that name this. */
  lines(name: string): Promise<string[]>
}

async function app(options: LlamaGuardOptions = {}, register = new Registry()): Promise<App> {
  const guard = closing(llamaGuard({ guard: markerGuard(), logger: memoryLogger(), ...options }, {}))
  const handler = closing(metrics({ register }))
  const server = closing(
    await serve((req, res) =>
      req.url === '/metrics'
        ? handler(req, res)
        : guard(req, res, () =>
            res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(completion('PLANTED reply'))),
          ),
    ),
  )
  const lines = async (name: string): Promise<string[]> =>
    (await send(`${server.url}/metrics`)).text.split('\n').filter((line) => line.startsWith(name))
  return { server, guard, handler, lines }
}

const ask = (server: Running, text: string, path = '/v1/chat/completions'): Promise<unknown> =>
  send(server.url + path, { body: chat(text), headers: { 'x-request-id': `id-${text}` } })

describe('metrics()', () => {
  it('counts a call of a tool that onToolCall blocks under its category', async () => {
    const { server, lines } = await app({ onToolCall: () => 'block' })
    await send(`${server.url}/mcp`, { body: { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'f' } } })
    await vi.waitFor(async () =>
      expect(await lines('llama_guard_categories_total')).toEqual([
        'llama_guard_categories_total{stage="input",category="tool_call"} 1',
      ]),
    )
  })

  it('counts judgements, categories, what was not judged, cache and tokens', async () => {
    const verdict = { tokens: { input: 100, output: 2 } }
    const { server, lines } = await app({ guard: markerGuard({ verdict }), ...withProtection({ breaker: false }) })
    for (const text of ['hello', 'hello', 'UNSAFE', 'BROKEN']) await ask(server, text)
    await send(`${server.url}/`)
    await vi.waitFor(async () =>
      expect(await lines('llama_guard_requests_total')).toEqual([
        'llama_guard_requests_total{outcome="judged"} 3',
        'llama_guard_requests_total{outcome="not-judged"} 2',
      ]),
    )
    expect(await lines('llama_guard_judgements_total')).toEqual([
      'llama_guard_judgements_total{stage="input",verdict="safe",action="allow",code=""} 2',
      'llama_guard_judgements_total{stage="output",verdict="safe",action="allow",code=""} 2',
      'llama_guard_judgements_total{stage="input",verdict="unsafe",action="block",code=""} 1',
      'llama_guard_judgements_total{stage="input",verdict="unjudged",action="unavailable",code="guard_error"} 1',
    ])
    expect(await lines('llama_guard_categories_total')).toEqual([
      'llama_guard_categories_total{stage="input",category="O3"} 1',
    ])
    expect(await lines('llama_guard_not_judged_total')).toEqual([
      'llama_guard_not_judged_total{reason="error",dialect="openai-chat"} 1',
      'llama_guard_not_judged_total{reason="no-body",dialect="unknown"} 1',
    ])
    expect(await lines('llama_guard_cache_total')).toEqual([
      'llama_guard_cache_total{result="hit"} 2',
      'llama_guard_cache_total{result="shared"} 0',
      'llama_guard_cache_total{result="miss"} 4',
      'llama_guard_cache_total{result="joined"} 0',
    ])
    expect(await lines('llama_guard_tokens_total')).toEqual([
      'llama_guard_tokens_total{direction="input"} 300',
      'llama_guard_tokens_total{direction="output"} 6',
    ])
    expect(await lines('llama_guard_check_duration_seconds_count')).toEqual([
      'llama_guard_check_duration_seconds_count{backend="custom",model="marker",error=""} 3',
      'llama_guard_check_duration_seconds_count{backend="custom",model="marker",error="guard_error"} 1',
    ])
    expect(await lines('llama_guard_judgement_duration_seconds_bucket{le="0.005"')).toHaveLength(4)
    expect(await lines('llama_guard_added_latency_seconds_count')).toEqual([
      'llama_guard_added_latency_seconds_count{stage="input",byte="",streaming="false"} 4',
      'llama_guard_added_latency_seconds_count{stage="output",byte="first",streaming="false"} 2',
      'llama_guard_added_latency_seconds_count{stage="output",byte="last",streaming="false"} 2',
    ])
    expect(await lines('llama_guard_queued')).toEqual(['llama_guard_queued{model="marker"} 0'])
    expect(await lines('llama_guard_in_flight')).toEqual(['llama_guard_in_flight{model="marker"} 0'])
    expect(await lines('llama_guard_breaker_state')).toEqual(['llama_guard_breaker_state{model="marker"} 0'])
  })

  it('takes no label from a client, and keeps what an operator names within a bound', async () => {
    const spoken = { ...markerGuard({ verdict: { safe: false, categories: ['PLANTED words'] } }), model: 'on trial' }
    const { server, lines } = await app({ guards: [{ shadow: spoken, rate: 1 }] })
    await ask(server, 'PLANTED words', '/PLANTED/chat/completions?PLANTED')
    await vi.waitFor(async () => expect(await lines('llama_guard_shadow_comparisons_total')).not.toEqual([]))
    for (let number = 0; number < 80; number++)
      closing(llamaGuard({ guard: { ...markerGuard(), model: `model-${number}` }, logger: memoryLogger() }, {}))
    await vi.waitFor(async () => expect(await lines('llama_guard_requests_total')).toHaveLength(1))
    expect((await lines('')).filter((line) => /PLANTED|id-/.test(line))).toEqual([])
    const models = await lines('llama_guard_in_flight')
    expect(models).toHaveLength(65)
    expect(models).toContain('llama_guard_in_flight{model="other"} 0')
  })

  it('names the request and its context in exemplars, where the registry speaks OpenMetrics', async () => {
    const register = new Registry()
    register.setContentType(Registry.OPENMETRICS_CONTENT_TYPE as never)
    const context = () => ({ tenant: 'a"b', 'no-label': 1, long: 'x'.repeat(128), user: 7 })
    const { server, lines } = await app({ context, check: ['input'] }, register)
    await ask(server, 'hello')
    const exemplar = '# {request_id="id-hello",tenant="a\\"b",user="7"}'
    await vi.waitFor(async () =>
      expect((await lines('llama_guard_judgement_duration_seconds_bucket')).join('\n')).toContain(exemplar),
    )
    expect((await send(`${server.url}/metrics`)).headers['content-type']).toContain('openmetrics')
  })

  it('counts what a guard on trial said beside the guard', async () => {
    const trial = { ...markerGuard({ marker: /hello|UNSAFE/ }), model: 'trial' }
    const { server, lines } = await app({
      guards: [{ shadow: trial, rate: 1 }],
      ...withProtection({ breaker: false }),
      check: ['input'],
    })
    for (const text of ['hello', 'fine', 'UNSAFE', 'BROKEN']) await ask(server, text)
    await vi.waitFor(async () => expect(await lines('llama_guard_shadow_comparisons_total')).toHaveLength(4))
    expect((await lines('llama_guard_shadow_comparisons_total')).sort()).toEqual([
      'llama_guard_shadow_comparisons_total{stage="input",primary="safe",shadow="safe"} 1',
      'llama_guard_shadow_comparisons_total{stage="input",primary="safe",shadow="unsafe"} 1',
      'llama_guard_shadow_comparisons_total{stage="input",primary="unjudged",shadow="unjudged"} 1',
      'llama_guard_shadow_comparisons_total{stage="input",primary="unsafe",shadow="unsafe"} 1',
    ])
  })

  it('shows an open breaker and a row of the audit that was lost', async () => {
    const { server, lines } = await app({
      guard: { model: 'sick', judge: () => Promise.reject(new Error('gone')) },
      audit: { write: () => Promise.reject(new Error('full')) },
      ...withProtection({ maxAttempts: 1 }),
    })
    for (let number = 0; number < 8; number++) await ask(server, `hello ${number}`)
    expect(await lines('llama_guard_breaker_state')).toEqual(['llama_guard_breaker_state{model="sick"} 2'])
    await vi.waitFor(async () =>
      expect(await lines('llama_guard_audit_rows_total')).toContain('llama_guard_audit_rows_total{result="dropped"} 8'),
    )
  })

  it('may be made twice on one registry, counts once, and stops with the last close', async () => {
    const register = new Registry()
    const { server, handler, lines } = await app({}, register)
    const second = metrics({ register })
    await ask(server, 'one')
    handler.close()
    handler.close()
    await ask(server, 'two')
    second.close()
    await ask(server, 'three')
    expect(await lines('llama_guard_judgements_total{stage="input"')).toEqual([
      'llama_guard_judgements_total{stage="input",verdict="safe",action="allow",code=""} 2',
    ])
  })
})

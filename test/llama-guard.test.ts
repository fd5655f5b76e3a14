// The methods of a middleware, beside what it does with requests.
import { describe, expect, it } from 'vitest'
import { ask, guarded, onNode, serving } from './helpers/apps.js'
import { markerGuard } from './helpers/guards.js'
import { completion } from './helpers/http.js'
import type { LlamaGuardOptions } from '../src/options/index.js'

describe('judge', () => {
  it('judges a text as a request unless it is told that it is a reply', async () => {
    const stages: unknown[] = []
    const guard = markerGuard()
    const { judge } = guard
    guard.judge = (conversation, options) => {
      stages.push(options.stage)
      return judge.call(guard, conversation, options)
    }
    const middleware = guarded({ guard })
    const turns = [{ role: 'User', text: 'hi' }] as const
    await middleware.judge(turns)
    await middleware.judge(turns, {})
    await middleware.judge(turns, { stage: 'output' })
    expect(stages).toEqual(['input', 'input', 'output'])
  })
})

describe('A request that cannot be read', () => {
  const asked = (path: string, options: LlamaGuardOptions = {}): ReturnType<typeof ask> =>
    serving(
      onNode([guarded(options)], (_req, res) => void res.end(JSON.stringify(completion('fine')))),
      ({ url }) => ask(url + path, { body: '{"messages": [', headers: { 'content-type': 'application/json' } }),
    )

  it('is refused in the envelope of the API of its path', async () => {
    const openai = await asked('/v1/chat/completions')
    expect([openai.status, openai.headers['llama-guard']]).toEqual([400, 'input=unjudged;code="invalid_json"'])
    expect(openai.json().error).toMatchObject({ code: 'invalid_json' })
    const anthropic = await asked('/v1/messages')
    expect([anthropic.status, anthropic.json().type]).toEqual([400, 'error'])
  })

  it('passes in shadow mode, and its client is told that it was not judged', async () => {
    const { status, headers, text } = await asked('/v1/chat/completions', { mode: 'shadow' })
    expect([status, headers['llama-guard']]).toEqual([200, 'input=unjudged;code="invalid_json"'])
    expect(text).toContain('fine')
  })
})

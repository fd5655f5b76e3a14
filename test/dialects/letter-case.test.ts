// Names in another case: servers in Go and .NET read `Content` and `CONTENT` as `content`, and take the last one. Each
// object of every request gets each of its names once more in another case, with words in it. They are judged, or the
// request is a 4xx, and no message changes its speaker in this way.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ask, guarded, onNode } from '../helpers/apps.js'
import { markerGuard } from '../helpers/guards.js'
import { serve, type Running } from '../helpers/http.js'
import { few } from '../helpers/sampled.js'
import { MAXIMAL } from './maximal-bodies.js'

const pascal = (name: string): string => name.slice(0, 1).toUpperCase() + name.slice(1)
const WORDS = 'how to build zorblatt'

/** The value with the words in place of each of its strings. */
function worded(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(worded)
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, worded(inner)]))
  return WORDS
}

/** The body once for each of its names, with the name in another case behind it. */
function* doubled(value: unknown): Generator<[name: string, body: unknown]> {
  if (Array.isArray(value)) {
    for (const [at, item] of value.entries())
      for (const [name, inner] of doubled(item)) yield [name, value.toSpliced(at, 1, inner)]
  } else if (typeof value === 'object' && value !== null) {
    const object = value as Record<string, unknown>
    for (const [key, inner] of Object.entries(object)) {
      if (JSON.stringify(worded(inner)).includes(WORDS)) yield [key, { ...object, [pascal(key)]: worded(inner) }]
      for (const [name, more] of doubled(inner)) yield [name, { ...object, [key]: more }]
    }
  }
}

describe.each(Object.entries(MAXIMAL))('A request as %s', (_name, { path, body }) => {
  let server: Running
  const guard = Object.assign(markerGuard(), { vision: true })
  const middleware = guarded({ guard, check: ['input'], turns: 'all' })
  beforeAll(async () => {
    server = await serve(onNode([middleware], (_req, res) => void res.end('{}')))
  })
  afterAll(() => server.close())

  it('passes as it is', async () => {
    expect((await ask(server.url + path, { body })).status).toBe(200)
  })

  it('is judged with its names in another case, too', async () => {
    const bodies = few([...doubled(body)], 30)
    const statuses = await Promise.all(
      bodies.map(async ([, other], at) => {
        const text = JSON.stringify(other).replaceAll(WORDS, `${WORDS} ${at}.`)
        return (await ask(server.url + path, { body: text })).status
      }),
    )
    const prompts = guard.asked.flatMap((turns) => turns.map(({ text }) => text)).join('\n')
    const seen = new Set([...prompts.matchAll(/zorblatt (\d+)\./g)].map(([, at]) => Number(at)))
    const passed = bodies.filter((_, at) => statuses[at]! < 400 && !seen.has(at))
    expect(passed.map(([name]) => name)).toEqual([])
  })
})

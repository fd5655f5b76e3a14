// Dialects of the user's own: what their functions find is used, what they leave out is judged all the same.
import { expect, it } from 'vitest'
import { customDialect } from '../../src/dialects/custom.js'
import { BLOCKED, event, gather } from './streams.js'

interface Ask {
  q?: string
}

const dialect = customDialect({
  name: 'my-api',
  paths: ['/ask'],
  claims: (body) => typeof body.q === 'string',
  request: (body) => ({ turns: [{ role: 'user', text: (body as Ask).q ?? '' }] }),
  reply: (body) => (body as { answer?: string }).answer,
  delta: (data) => (data as { token?: string }).token,
})

it('A request is what its function returns, and what it left out is an extra.', () => {
  expect(dialect.request({ q: 'Hi', temperature: 1, stream: true })).toEqual({
    system: '',
    turns: [{ role: 'User', text: 'Hi' }],
    userTurns: [0],
    extras: [],
    stream: true,
    ids: expect.anything(),
  })
  expect(dialect.request({ q: 'Hi', hint: 'words left out', lang: 'en' }).extras).toEqual([
    'hint\nwords left out\nlang\nen',
  ])
})

it.each([
  { role: 'system', text: 'Hi' },
  { role: 'user', text: 7 },
])('A request with the turn %j cannot be read.', (turn) => {
  const own = customDialect({ name: 'own', request: () => ({ turns: [turn as never] }) })
  expect(() => own.request({})).toThrow(expect.objectContaining({ code: 'unreadable_request' }))
})

it('A reply and a stream are what the functions return, and what they left out.', () => {
  expect(dialect.reply({ answer: 'Yes' })).toEqual([{ index: 0, text: 'Yes' }])
  expect(dialect.reply({ answer: 'Yes', more: 'left out' })).toEqual([{ index: 0, text: 'Yes\nmore\nleft out' }])
  expect(dialect.reply({ other: 'shape' })).toBeUndefined()
  expect(gather(dialect.stream(), [event({ token: 'a ' }), event({ token: 'b', aside: 'c' }), event('d')])).toEqual({
    '0:delta()': 'a b',
    '0:key': 'aside',
    '0:aside': 'c',
    '0:data': 'd',
  })
  expect(dialect.stream().block(BLOCKED)).toContain('"finish_reason":"content_filter"')
})

it('The names of eight fields that the function read go unjudged, and no more.', () => {
  const all = customDialect({
    name: 'all',
    request: (body) => ({ turns: Object.values(body).map((text) => ({ role: 'user', text: text as string })) }),
  })
  const body = Object.fromEntries(Array.from('abcdefghij', (letter) => [`own_${letter}`, 'Hi']))
  expect(all.request(body).extras).toEqual(['own_i\nown_j'])
})

it('A body of 1 MiB is read in linear time.', () => {
  const fields = Object.fromEntries(Array.from({ length: 40_000 }, (_, at) => [`k${at}`, `${'ab'.repeat(5)}c${at}`]))
  const wrapped = customDialect({
    name: 'own',
    request: ({ q }) => ({ turns: [{ role: 'user', text: `Question: ${String(q)}` }] }),
  })
  for (const body of [
    { q: 'ab'.repeat(250_000), ...fields },
    { q: 'a'.repeat(500_000), mine: Array.from({ length: 200 }, () => `${'a'.repeat(2500)}b`) },
  ]) {
    const started = process.cpuUsage()
    wrapped.request(body)
    const { user, system } = process.cpuUsage(started)
    expect((user + system) / 1000).toBeLessThan(500)
  }
})

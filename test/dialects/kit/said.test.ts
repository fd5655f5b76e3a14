// What a custom dialect's function found is told from what it left out, in linear time.
import { expect, it } from 'vitest'
import { customDialect } from '../../../src/dialects/custom.js'
import { Said } from '../../../src/dialects/kit/said.js'

it('A text is found whole, within another, and behind one that begins alike.', () => {
  const head = Array.from({ length: 40 }, (_, at) => at).join(' ')
  const said = new Said(['the first text', `${head}y and ${head}z`])
  expect(said.has('the first text')).toBe(true)
  expect(said.has('first')).toBe(true)
  expect(said.has(`${head}z`)).toBe(true)
  expect(said.has(`${head}x`)).toBe(false)
  expect(said.has('second')).toBe(false)
  expect(said.has('the first text and more')).toBe(false)
})

it('A search that would cost too much says no, so that the text is judged once more.', () => {
  const said = new Said(['a'.repeat(1_000_000)])
  for (let at = 0; at < 5; at += 1) said.has(`${'a'.repeat(100)}b${at}`)
  expect(said.has('aaa')).toBe(false)
  expect(said.has('a'.repeat(1_000_000))).toBe(true)
})

const dialect = customDialect({
  name: 'own',
  request: (body) => ({ turns: [{ role: 'user', text: `Question: ${String(body.q)}` }] }),
})

it('The names of eight fields that the function read go unjudged, and no more.', () => {
  const all = customDialect({
    name: 'all',
    request: (body) => ({ turns: [{ role: 'user', text: Object.values(body).join(' ') }] }),
  })
  const body = Object.fromEntries(Array.from('abcdefghij', (letter) => [`own_${letter}`, 'Hi']))
  expect(all.request(body).extras).toEqual(['own_i\nown_j'])
})

it('A body of 1 MiB is read in linear time.', () => {
  const fields = Object.fromEntries(Array.from({ length: 40_000 }, (_, at) => [`k${at}`, `${'ab'.repeat(5)}c${at}`]))
  for (const body of [
    { q: 'ab'.repeat(250_000), ...fields },
    { q: 'a'.repeat(500_000), mine: Array.from({ length: 200 }, () => `${'a'.repeat(2500)}b`) },
  ]) {
    const started = process.cpuUsage()
    dialect.request(body)
    const { user, system } = process.cpuUsage(started)
    expect((user + system) / 1000).toBeLessThan(500)
  }
})

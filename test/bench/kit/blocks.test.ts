// The blocks of a report that a program writes.
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { setBlock } from './blocks.js'

const REPORT = 'Before.\n\n<!-- bench: one -->\nold\n<!-- end: one -->\n\nAfter.\n'

it('replaces what stands in a block, and nothing else', () => {
  const once = setBlock(REPORT, 'one', 'new\n')
  expect(once).toBe('Before.\n\n<!-- bench: one -->\n\nnew\n\n<!-- end: one -->\n\nAfter.\n')
  expect(setBlock(once, 'one', 'new')).toBe(once)
})

it('throws when the report has no such block', () => {
  expect(() => setBlock(REPORT, 'two', 'new')).toThrow('no block <!-- bench: two -->')
})

it('finds a block in the report for every benchmark that the runner knows', () => {
  const runner = readFileSync('test/bench/index.ts', 'utf8')
  const names = [...runner.matchAll(/ name: '([\w-]+)'/g)].map(([, name]) => name!)
  expect(names).toContain('throughput')
  const report = readFileSync('test/bench/README.md', 'utf8')
  for (const name of names) expect(() => setBlock(report, name, '')).not.toThrow()
})

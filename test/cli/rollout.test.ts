// The recipe from shadow to enforce: its commands exist.
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { run } from '../../src/cli/index.js'
import { catchIo } from './helpers.js'

test('Every command and flag of the recipe exists', async () => {
  const recipe = readFileSync(resolve(import.meta.dirname, '../../examples/rollout/README.md'), 'utf8')
  const commands = [...recipe.matchAll(/express-llama-guard (\w+)([^`]*)`/g)]
  expect(commands.length).toBeGreaterThan(3)
  for (const [, command = '', rest = ''] of commands) {
    const io = catchIo()
    expect(await run([command, '--help'], io)).toBe(0)
    for (const flag of rest.match(/--[a-z-]+/g) ?? []) expect(io.out(), command).toContain(flag)
  }
})

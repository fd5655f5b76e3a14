// Runs before every test file while the marks are read: notes which functions the file runs, and which ones ran as
// modules loaded. A module loads once for all files of a process, so the second kind says nothing about one file.
import { appendFileSync } from 'node:fs'
import { afterAll, beforeAll, expect } from 'vitest'
import { MARKS } from './functions.js'

const ran = new Set<string>()
const loaded = new Set<string>()
const started = performance.now()
let isLoading = true

Object.assign(globalThis, { [MARKS]: (name: string) => void (isLoading ? loaded : ran).add(name) })

beforeAll(() => {
  isLoading = false
})
afterAll(() => {
  const test = expect.getState().testPath
  const seconds = (performance.now() - started) / 1000
  appendFileSync(
    process.env.MUTATION_MARKS!,
    `${JSON.stringify({ test, seconds, ran: [...ran], loaded: [...loaded] })}\n`,
  )
})

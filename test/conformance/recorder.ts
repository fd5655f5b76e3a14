// Stands for eventsource-parser in its own tests, and writes down which test has fed what.
import { writeFileSync } from 'node:fs'
import { afterAll, expect } from 'vitest'
import { createParser as itself } from 'eventsource-parser'

const fed: Record<string, string[]> = {}

afterAll(() => writeFileSync(process.env['CONFORMANCE_RECORD']!, JSON.stringify(fed)))

export function createParser(...given: Parameters<typeof itself>): ReturnType<typeof itself> {
  const parser = itself(...given)
  return {
    ...parser,
    feed(chunk) {
      ;(fed[expect.getState().currentTestName ?? ''] ??= []).push(chunk)
      parser.feed(chunk)
    },
  }
}

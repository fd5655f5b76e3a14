// The tests of Express itself, with the guard at the top of every app that they make.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { LlamaGuardOptions } from '../../src/options/index.js'
import { CACHE, checkout, installed, preloaded, run, type Suite } from './kit.js'

interface Report {
  readonly passes: readonly { readonly fullTitle: string }[]
  readonly failures: readonly { readonly fullTitle: string }[]
}

/** What REFERENCE.md says of a route whose every request is judged. */
const JUDGED: Suite['reasons'] = [
  [/JSON is invalid|invalid content-length|parse error/, 'what is no JSON is 400 before the parser of the app'],
  [/charset/i, 'a charset other than UTF-8 is 415'],
  [/encoding should 415/, 'an encoding that nobody knows is 415 in our words'],
  [/inflat|hang/, 'bytes behind the end of gzip, and half a JSON text, are 400 before the limit of the parser'],
  [/express\.raw\(\)/, 'bytes that are no text are 415'],
  [/should ignore/, 'req.body is set where the parser of the app leaves the body alone'],
]

export const express = (mount: string, options: LlamaGuardOptions = {}): Suite => ({
  name: 'Express 5.2.1',
  mount,
  reasons: options.unknown === 'judge' ? JUDGED : [],
  async run(guarded) {
    const folder = await checkout('expressjs/express', 'v5.2.1')
    await installed(folder)
    const report = join(CACHE, 'express.json')
    await run(
      folder,
      `node_modules/.bin/mocha --exit --timeout 30000 --require test/support/env --check-leaks --reporter json --reporter-option output=${report} test/ test/acceptance/`,
      { env: await preloaded(guarded, 'express', options), anyStatus: true },
    )
    const { passes, failures } = JSON.parse(readFileSync(report, 'utf8')) as Report
    return new Map([
      ...passes.map((one) => [one.fullTitle, true] as const),
      ...failures.map((one) => [one.fullTitle, false] as const),
    ])
  },
})

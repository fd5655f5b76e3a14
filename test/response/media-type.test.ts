// Which content-types are read as a stream of JSON lines or events.
import { describe, expect, it } from 'vitest'
import { isStream } from '../../src/response/head.js'

const LINES = ['ndjson', 'ldjson', 'jsonl', 'jsonlines', 'json-lines', 'json-seq', 'json-stream', 'stream+json']
const KINDS = ['application/', 'application/x-', 'text/', 'text/x-']

describe('A media type', () => {
  it.each(['text/event-stream', ...KINDS.flatMap((kind) => LINES.map((name) => kind + name))])(
    '%s is that of a stream',
    (type) => {
      expect(isStream(type)).toBe(true)
    },
  )

  it.each([
    ...LINES.flatMap((name) => [
      `image/${name}`,
      `application/y-${name}`,
      `application/x-x-${name}`,
      `application/a${name}`,
      `application/${name}a`,
      `a application/${name}`,
      `application${name}`,
      name,
    ]),
    'application/streamjson',
    'application/streammjson',
    'application/event-stream',
    'text/x-event-stream',
    'text/event-stream2',
    'application/json',
    'text/plain',
    'application/',
    '',
  ])('%j is not that of a stream', (type) => {
    expect(isStream(type)).toBe(false)
  })
})

// Helpers of the stream tests: events from JSON, texts by channel, and a server that plays frames to a real SDK client.
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Dialect, StreamEvent, StreamReader } from '../../src/dialects/dialect.js'
import type { Decision } from '../../src/types.js'

export const BLOCKED: Decision = {
  action: 'block',
  stage: 'output',
  outcome: { state: 'unsafe' },
  categories: [{ code: 'O3', name: 'Criminal Planning' }],
  model: 'llama-guard-1',
  ms: 1,
}

export function event(data: unknown, name?: string): StreamEvent {
  return {
    ...(name === undefined ? {} : { event: name }),
    data: typeof data === 'string' ? data : JSON.stringify(data),
  }
}

/**
 * A whole stream of an API with every kind of event that its reader tells apart: the data of one event a line, behind its
 * type code where the API has lines. None for an API that does not stream.
 */
export function wholeStream(name: string): StreamEvent[] {
  const path = `test/fixtures/streams/${name}.jsonl`
  if (!existsSync(path)) return []
  return Array.from(readFileSync(path, 'utf8').matchAll(/^(?:(\w):)?(.+)$/gm), ([, part, data]) => ({
    ...(part !== undefined && { part }),
    data: data!,
  }))
}

/** Text by `choice:channel`, as the judge would gather it. */
export function gather(reader: StreamReader, events: readonly StreamEvent[]): Record<string, string> {
  const texts: Record<string, string> = {}
  for (const each of events) {
    for (const { choice, channel, text } of reader.read(each))
      texts[`${choice}:${channel}`] = (texts[`${choice}:${channel}`] ?? '') + text
  }
  return texts
}

/** A reader that read all events, of which only the first `sent` have left. */
export function readerOf(dialect: Dialect, events: readonly StreamEvent[], sent: number): StreamReader {
  const reader = dialect.stream()
  const leaves = events.map((each) => {
    reader.read(each)
    return reader.leaves
  })
  for (const each of leaves.slice(0, sent)) each?.()
  return reader
}

export function frames(events: readonly StreamEvent[]): string {
  return events
    .map(({ event: name, data }) => `${name === undefined ? '' : `event: ${name}\n`}data: ${data}\n\n`)
    .join('')
}

/** Serves `body` as an event stream for the time of `use`. */
export async function serving<T>(
  body: string,
  use: (baseURL: string) => Promise<T>,
  status = 200,
  type = 'text/event-stream',
): Promise<T> {
  const server = http.createServer((req, res) => {
    req.resume()
    res.writeHead(status, { 'content-type': type }).end(body)
  })
  server.listen(0)
  await once(server, 'listening')
  try {
    return await use(`http://localhost:${(server.address() as AddressInfo).port}`)
  } finally {
    server.close().closeAllConnections()
  }
}

export async function drain<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const each of stream) all.push(each)
  return all
}

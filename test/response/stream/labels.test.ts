// What a client reads is what the guard read, whatever the label: every way to write a stream, under every
// label, cut anywhere. The words that the guard objects to come in two events, so only a reader that puts them
// together finds them.
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ask, guarded, onNode } from '../../helpers/apps.js'
import { chat, serve, type Reply, type Running } from '../../helpers/http.js'
import { few, rounds } from '../../helpers/sampled.js'

const json = (content: string): string =>
  JSON.stringify({ id: 'chatcmpl-1', choices: [{ index: 0, delta: { content }, finish_reason: null }] })
const pretty = (content: string): string => JSON.stringify(JSON.parse(json(content)), null, 2)
const escaped = (text: string): string =>
  json('WORD').replace(
    'WORD',
    text.replace(/[^]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`),
  )
const sse = (words: readonly string[], of = json): string =>
  words.map((word) => `data: ${of(word)}\n\n`).join('') + 'data: [DONE]\n\n'
const BREAKS = { CR: '\r', 'two CR': '\r\r', 'CRLF and CR': '\r\n\r', 'a blank CRLF': '\n\r\ndata: ' }
const broken = (text: string, end: string): string => json(text).replace('"choices":', `"choices":${end}`)
const eachLine = (text: string, before: string): string => text.replace(/^(?=.)/gm, before)

type Write = (words: readonly string[]) => string
const SPELLINGS: Readonly<Record<string, Write>> = {
  'server-sent events': (words) => sse(words),
  'events with CRLF': (words) => sse(words).replaceAll('\n', '\r\n'),
  'events with CR': (words) => sse(words).replaceAll('\n', '\r'),
  'named events with CR': (words) => sse(words).replaceAll('data:', 'event: message\rdata:').replaceAll('\n', '\r'),
  'events with CR behind a comment': (words) => `:\r${sse(words).replaceAll('\n', '\r')}`,
  'events with mixed line ends': (words) => sse(words).replace(/\n\n/g, '\r\n\n').replace(/\n\n$/, '\r\r'),
  'events with escapes': (words) => sse(words, escaped),
  'events without a blank behind the colon': (words) => sse(words).replaceAll('data: ', 'data:'),
  'a byte order mark and events': (words) => `\uFEFF${sse(words)}`,
  'two byte order marks and events': (words) => `\uFEFF\uFEFF${sse(words, escaped)}`,
  'a byte order mark before every event': (words) => eachLine(sse(words, escaped), '\uFEFF'),
  'a byte order mark before some events': ([first = '', second = '', ...rest]) =>
    `data: ${escaped(first)}\n\n\uFEFFdata: ${escaped(second)}\n\n${sse(rest)}`,
  'indented events': (words) => eachLine(sse(words, escaped), '  '),
  'an unknown first field and events': (words) => `foo: bar\n${sse(words, escaped)}`,
  'an unknown first line and events': (words) => `hello\n\n${sse(words, escaped)}`,
  'a wordy comment and events': (words) => `: the model thinks\n\n${sse(words, escaped)}`,
  'events with two names': (words) => sse(words).replaceAll('data:', 'event: one\nevent: two\ndata:'),
  'events without blank lines': (words) => sse(words, escaped).replaceAll('\n\n', '\n'),
  'events of two data lines': ([first = '', ...rest]) => `data: ${escaped(first)}\ndata: ${escaped(rest.join(''))}\n\n`,
  'pretty-printed events': (words) => words.map((word) => `${eachLine(pretty(word), 'data: ')}\n\n`).join(''),
  'pretty-printed events behind byte order marks': (words) =>
    words.map((word) => `${eachLine(pretty(word), '\uFEFFdata: ')}\n\n`).join(''),
  'an event that holds a list': (words) => `data: [${words.map(escaped).join(',')}]\n\n`,
  'events of bare text': (words) => words.map((word) => `data: ${word}\n\n`).join(''),
  'events of JSON strings': (words) => words.map((word) => `data: ${JSON.stringify(word)}\n\n`).join(''),
  'events of JSON strings without blank lines': (words) =>
    words.map((word) => `data: ${JSON.stringify(word)}\n`).join(''),
  'JSON lines': (words) => words.map((word) => `${escaped(word)}\n`).join(''),
  'JSON lines with CRLF': (words) => words.map((word) => `${escaped(word)}\r\n`).join(''),
  'JSON lines behind byte order marks': (words) => words.map((word) => `\uFEFF${escaped(word)}\n`).join(''),
  'JSON lines without a last line end': (words) => words.map(escaped).join('\n'),
  'JSON lines of strings': (words) => words.map((word) => `${JSON.stringify(word)}\n`).join(''),
  'pretty-printed JSON values': (words) => words.map((word) => `${pretty(word)}\n`).join(''),
  'a JSON sequence': (words) => words.map((word) => `\u001e${escaped(word)}\n`).join(''),
  'a JSON array on one line': (words) => `[${words.map(escaped).join(',')}]`,
  'a JSON array by lines': (words) => `[${words.map(escaped).join('\n,')}\n]\n`,
  'a JSON array with commas at the end': (words) => `[\n${words.map(escaped).join(',\n')}\n]\n`,
  'a pretty-printed JSON array': (words) =>
    JSON.stringify(
      words.map((word) => JSON.parse(json(word)) as object),
      null,
      2,
    ),
  'JSON lines between comments': (words) => words.map((word) => `: ping\n\n${escaped(word)}\n`).join(''),
  'JSON lines and an event': (words) => `${words.map((word) => `${escaped(word)}\n`).join('')}data: ${json('x')}\n\n`,
  'events and JSON lines in turn': ([first = '', ...rest]) =>
    `data: ${escaped(first)}\n\n${rest.map(escaped).join('\n')}\n`,
  'JSON lines, each with an event between': (words) =>
    words.map((word) => `${escaped(word)}\ndata: ${json('x')}\n\n`).join(''),
  'events, each with a JSON line between': (words) =>
    words.map((word) => `data: ${escaped(word)}\n\n${json('x')}\n`).join(''),
  'broken JSON and JSON lines': (words) => `{"a":\n${words.map((word) => `${escaped(word)}\n`).join('')}`,
  'broken JSON and events': (words) => `{"a": [\n${sse(words, escaped)}`,
  // What Go, @ag-ui/client, @google/genai, LangGraph's clients and Python's json read, each in its own way.
  ...Object.fromEntries(
    Object.entries(BREAKS).flatMap(([name, end]): [string, Write][] => [
      [`events with ${name} in the JSON`, (words) => sse(words, (word) => broken(word, end))],
      [
        `events with ${name} at the end of the JSON`,
        (words) => sse(words, (word) => json(word).replace(/}$/, `${end}}`)),
      ],
      [`JSON lines with ${name} in the JSON`, (words) => words.map((word) => `${broken(word, end)}\n`).join('')],
      [
        `JSON lines with ${name} in the JSON, behind something else`,
        (words) => words.map((word) => `data: x\n${broken(word, end)}\n`).join(''),
      ],
    ]),
  ),
  'events with `data:` on their first line alone': (words) => sse(words, pretty),
  'the same with CRLF': (words) => sse(words, pretty).replaceAll('\n', '\r\n'),
  'events of lines that end at a blank': (words) =>
    words.map((word) => `${eachLine(pretty(word), 'data: ')}\n \n`).join(''),
  'events whose strings go on in the next line': (words) =>
    sse(words, (word) => json(word).replace('"content":"', '"content":"\ndata: ')),
  'events whose names go on in the next line': (words) =>
    sse(words, (word) => json(word).replace('choices', 'cho\ndata: ices')),
  ...Object.fromEntries(
    ['\uFEFF', '\u00A0', '\u2003', '\t'].flatMap((blank): [string, Write][] => [
      [`events with ${JSON.stringify(blank)} before the JSON`, (words) => sse(words, (word) => blank + json(word))],
      [`events with ${JSON.stringify(blank)} behind the JSON`, (words) => sse(words, (word) => json(word) + blank)],
    ]),
  ),
  'values behind each other in an event': (words) => `data: ${words.map(json).join('')}\n\n`,
  'values behind each other on a line': (words) => `${words.map(json).join(' ')}\n`,
  'values behind each other that go on': (words) => words.map(pretty).join(''),
  'events on one line': (words) => words.map((word) => `data: ${json(word)}`).join(' '),
  'events within events': (words) => sse(words, (word) => `data: ${json(word)}`),
  'events that were encoded twice': (words) => sse(words, (word) => JSON.stringify(json(word))),
  'lines that were encoded twice': (words) => words.map((word) => `${JSON.stringify(json(word))}\n`).join(''),
  'events with the numbers of Python': (words) =>
    sse(words, (word) => json(word).replace('"index":0', '"index":0,"a":NaN,"b":-Infinity')),
  'an AI SDK data stream': (words) =>
    `f:{"messageId":"m"}\n${words.map((word) => `0:${JSON.stringify(word)}\n`).join('')}`,
  'an AI SDK data stream with reasoning between': (words) =>
    words.map((word) => `0:${JSON.stringify(word)}\ng:"hm"\n`).join('') + 'd:{"finishReason":"stop"}\n',
}
const LABELS: readonly (string | undefined)[] = [
  'text/event-stream',
  'text/event-stream; charset=utf-8',
  'application/x-ndjson',
  'application/ndjson',
  'application/jsonl',
  'application/x-jsonlines',
  'application/json-lines',
  'application/stream+json',
  'application/json-seq',
  'application/json',
  'text/plain',
  'text/html',
  undefined,
]
const SAFE = ['They are ', 'un', 'der', ' the table.']
const UNSAFE = ['They are ', 'UN', 'SAFE', ' there.']
/** The second half of the word, as it stands or escaped. */
const LEAK = /SAFE|0053.{0,2}0041/

describe('A stream', () => {
  let server: Running
  let answer: { type: string | undefined; status: number; pieces: readonly Buffer[] }
  const middleware = guarded({ check: ['output'], windowMs: 20 })
  beforeAll(async () => {
    server = await serve(
      onNode([middleware], (_req, res) => {
        res.statusCode = answer.status
        if (answer.type !== undefined) res.setHeader('content-type', answer.type)
        for (const piece of answer.pieces) res.write(piece)
        res.end()
      }),
    )
  })
  afterAll(() => server.close())
  const replyTo = (type: string | undefined, pieces: readonly Buffer[], status = 200): Promise<Reply> => {
    answer = { type, status, pieces }
    return ask(`${server.url}/v1/chat/completions`, { body: chat('hi', { stream: true }) })
  }

  it.each(Object.entries(SPELLINGS))('is judged or refused when it is written as %s', async (_name, write) => {
    for (const type of few(LABELS, 2)) {
      for (const status of [200, 500]) {
        const bad = await replyTo(type, [Buffer.from(write(UNSAFE))], status)
        expect([type, status, LEAK.test(bad.text), bad.text.includes('llama_guard') || bad.status >= 451]).toEqual([
          type,
          status,
          false,
          true,
        ])
        const body = Buffer.from(write(SAFE))
        const good = await replyTo(type, [body], status)
        if (good.status !== 503) expect([type, good.status, good.text]).toEqual([type, status, body.toString()])
      }
    }
  })

  it('is judged alike however it is cut, and leaves in the very bytes', async () => {
    const cases = fc.record({
      write: fc.constantFrom(...Object.values(SPELLINGS)),
      type: fc.constantFrom(...LABELS.filter((label) => label !== 'application/json')),
      cuts: fc.array(fc.nat(), { maxLength: 8 }),
      unsafe: fc.boolean(),
    })
    await fc.assert(
      fc.asyncProperty(cases, async ({ write, type, cuts, unsafe }) => {
        const bytes = Buffer.from(write(unsafe ? UNSAFE : SAFE))
        const ends = [...new Set(cuts.map((at) => at % bytes.length)), bytes.length].sort((a, b) => a - b)
        const pieces = ends.map((end, index) => bytes.subarray(index === 0 ? 0 : ends[index - 1], end))
        const reply = await replyTo(type, pieces)
        expect(reply.complete).toBe(true)
        expect(reply.text).not.toMatch(LEAK)
        const refused = reply.status === 503 || reply.text.includes('unreadable_response')
        if (unsafe) expect(reply.status === 451 || refused || reply.text.includes('llama_guard')).toBe(true)
        else if (!refused) expect([reply.status, reply.body.equals(bytes)]).toEqual([200, true])
      }),
      { numRuns: rounds(200) },
    )
  }, 60_000)
})

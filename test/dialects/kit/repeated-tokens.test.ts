// Columns of tokens beside the text of a stream, event by event. Whatever they repeat, leave out or say of their own, a
// client that joins a column reads what was judged.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { openaiChat } from '../../../src/dialects/openai-chat.js'
import { Transcript } from '../../../src/response/stream/transcript.js'

const FIELDS = ['content', 'reasoning_content', 'refusal'] as const
const COLUMNS = ['content', 'refusal', 'other'] as const
type Words = Partial<Record<string, string>>
interface Event {
  readonly delta: Words
  readonly columns: Words
  /** The bytes of these columns' tokens, where they are others. */
  readonly bytes: Words
}

const word = fc.constantFrom('ab', 'cd', 'ef')
const some = (names: readonly string[]): fc.Arbitrary<Words> =>
  fc.record(Object.fromEntries(names.map((name) => [name, word])), { requiredKeys: [] })
const event: fc.Arbitrary<Event> = fc.record({ delta: some(FIELDS), columns: some(COLUMNS), bytes: some(COLUMNS) })

const token = (text: string, bytes: string | undefined): object => ({
  token: text,
  logprob: -1,
  ...(bytes !== undefined && { bytes: [...Buffer.from(bytes)] }),
})

/** The text that is judged of a stream, after all of its events. */
function judged(events: readonly Event[]): string {
  const reader = openaiChat.stream()
  const transcript = new Transcript()
  for (const { delta, columns, bytes } of events) {
    const logprobs = Object.fromEntries(
      Object.entries(columns).map(([name, text]) => [name, [token(text!, bytes[name])]]),
    )
    const data = JSON.stringify({ choices: [{ index: 0, delta, logprobs }] })
    for (const { channel, text, from } of reader.read({ data })) transcript.add(channel, text, from)
  }
  return transcript.text()
}

it('Every column that a client may join is judged, whatever it repeats.', () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 5 }), (events) => {
      const text = judged(events)
      const texts = [
        ...FIELDS.map((name) => events.map(({ delta }) => delta[name] ?? '').join('')),
        ...COLUMNS.map((name) => events.map(({ columns }) => columns[name] ?? '').join('')),
        ...COLUMNS.map((name) =>
          events
            .map(({ columns, bytes }) => (columns[name] === undefined ? '' : (bytes[name] ?? columns[name])))
            .join(''),
        ),
      ]
      expect(texts.filter((each) => !text.includes(each))).toEqual([])
    }),
    { numRuns: Number(process.env['FC_RUNS'] ?? 1000), seed: Number(process.env['FC_SEED'] ?? 4) },
  )
})

it('A column that comes again beside other text is judged, however its tokens are cut.', () => {
  const reader = openaiChat.stream()
  const transcript = new Transcript()
  for (const content of ['SAFE it is UN', 'x', 'y']) {
    const logprobs = { content: ['SAFE ', 'it ', 'is UN'].map((text) => token(text, undefined)) }
    const data = JSON.stringify({ choices: [{ index: 0, delta: { content }, logprobs }] })
    for (const { channel, text, from } of reader.read({ data })) transcript.add(channel, text, from)
  }
  expect(transcript.text()).toContain('SAFE it is UNSAFE it is UNSAFE it is UN')
})

it('A column that repeats the text from its first event to its last is not judged again.', () => {
  const events = Array.from({ length: 40 }, (_, at) => ({
    delta: { content: `w${at} ` },
    columns: { content: `w${at} ` },
    bytes: {},
  }))
  expect(judged(events)).toBe(events.map(({ delta }) => delta.content).join(''))
})

it('No number of columns keeps one of them from being judged.', () => {
  const names = Array.from({ length: 300 }, (_, at) => `column ${at}`)
  const all = (text: string): Words => Object.fromEntries(names.map((name) => [name, text]))
  const text = judged([
    { delta: { content: 'UN' }, columns: all('UN'), bytes: {} },
    { delta: { content: 'x' }, columns: all('SAFE'), bytes: {} },
  ])
  expect(text.split('UNSAFE').length - 1).toBeGreaterThanOrEqual(names.length)
})

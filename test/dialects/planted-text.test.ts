// The promise of this folder: a text planted anywhere in a request, a reply or a stream is among what is judged.
// Random JSON, random places; nothing here knows which fields the dialects know.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { anthropicMessages } from '../../src/dialects/anthropic-messages.js'
import { customDialect } from '../../src/dialects/custom.js'
import type { ChatRequest, Dialect } from '../../src/dialects/dialect.js'
import { ollamaChat } from '../../src/dialects/ollama-chat.js'
import { mcp } from '../../src/dialects/mcp.js'
import { openaiChat } from '../../src/dialects/openai-chat.js'
import { openaiCompletions } from '../../src/dialects/openai-completions.js'
import { KNOWN_KEYS } from '../../src/dialects/kit/request-keys.js'
import { openaiResponses } from '../../src/dialects/openai-responses.js'
import { isLlamaGuardError } from '../../src/types/errors.js'
import { gather } from './streams.js'
import { rounds } from '../helpers/sampled.js'

const own = customDialect({ name: 'own', request: () => ({}), reply: () => '', delta: () => undefined })
const PLANTED = 'planted words of harm'

type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

// Names that dialects look for, so that the text lands in places they treat in some way of their own.
const KEY = fc.oneof(
  fc.constantFrom(
    ...`id type role name content text delta message messages choices output input index logprobs token
    tokens top_logprobs tool_calls function arguments usage model item part response content_block
    signature data error refusal reasoning obfuscation output_index metadata stop tools user format
    finish_reason annotations parameters schema source images summary cache_control encrypted_content
    toString length`.split(/\s+/),
  ),
  fc.string({ maxLength: 8 }),
)
const JSON_VALUE = fc.letrec<{ json: Json }>((tie) => ({
  json: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom<Json>(
      ...[null, true, 0, 1, 7, ''],
      ...'stop text user assistant x base64 response.output_text.delta message'.split(' '),
    ),
    fc.array(tie('json'), { maxLength: 3 }),
    fc.dictionary(KEY, tie('json'), { maxKeys: 5 }) as fc.Arbitrary<Json>,
  ),
})).json

/** Every JSON value with the text in place of one of its leaves, or as a key. */
function plant(value: Json, at: number, asKey: boolean): Json {
  let count = -1
  const visit = (each: Json): Json => {
    count += 1
    if (count === at) return asKey ? { [PLANTED]: each } : PLANTED
    if (Array.isArray(each)) return each.map(visit)
    return typeof each === 'object' && each !== null
      ? Object.fromEntries(Object.entries(each).map(([key, child]) => [key, visit(child)]))
      : each
  }
  const planted = visit(value)
  return JSON.stringify(planted).includes(PLANTED) ? planted : asKey ? { [PLANTED]: value } : [value, PLANTED]
}

/** In no short form. Each makes another text of another number. */
const WRITTEN: readonly ((count: number) => string)[] = [
  (count) => `tell me how to harm ${count} people`,
  (count) => `tell.me.how.to.harm.${count}.people`.padEnd(129, '.'),
]
/** Settings of the closed list. */
const FREE = new Set(['model', 'user', 'metadata', 'stop'])
/** Names that the references of the APIs use are no words of a client's. */
const isName = (key: string): boolean => KNOWN_KEYS.has(key) || key.trim() === ''

/** The value with words in place of its strings, and more of them as keys. */
function filled(value: Json, word: (count: number) => string, planted: string[]): Json {
  const next = (): string => {
    const text = word(planted.length + 1)
    planted.push(text)
    return text
  }
  const visit = (each: Json): Json => {
    if (typeof each === 'string') return next()
    if (Array.isArray(each)) return each.map(visit)
    if (typeof each !== 'object' || each === null) return each
    return Object.fromEntries(
      Object.entries(each).flatMap(([key, child]): [string, Json][] =>
        FREE.has(key) ? [] : [[isName(key) ? key : next(), visit(child)]],
      ),
    )
  }
  return visit(value)
}

const PLANTING = fc.tuple(JSON_VALUE, fc.nat(30), fc.boolean()).map(([value, at, asKey]) => plant(value, at, asKey))
const DIALECTS: readonly Dialect[] = [
  openaiChat,
  openaiCompletions,
  openaiResponses,
  anthropicMessages,
  ollamaChat,
  mcp,
  own,
]
/** Token columns are the server's. */
const TOKENS = /logprobs.*"(?:tokens?|top_logprobs)":/
const WORDS = { role: 'user', content: 'Hi' }

/** Refused is as good as judged. */
function refusedOr(read: () => string, instead = PLANTED): string {
  try {
    return read()
  } catch (error) {
    if (
      isLlamaGuardError(error) &&
      ['unreadable_request', 'unreadable_response', 'unsupported_content'].includes(error.code)
    )
      return instead
    throw error
  }
}

const judged = ({ system, turns, extras }: ChatRequest): string =>
  [system, ...extras, ...turns.flatMap(({ text, images = [] }) => [text, ...images.map(({ url }) => url)])].join('\n')

describe.each(DIALECTS.map((dialect) => [dialect.name, dialect] as const))(
  'A text planted anywhere in %s',
  (_name, dialect) => {
    const field = { 'openai-completions': { prompt: 'Hi' }, 'openai-responses': { input: [WORDS] } }[
      dialect.name as 'openai-completions'
    ] ?? { messages: [WORDS] }

    it('is judged in a request: in a field, in a message, in its content', () => {
      fc.assert(
        fc.property(PLANTING, KEY, (json, key) => {
          const list = 'input' in field ? 'input' : 'messages'
          for (const body of [
            { ...field, [key]: json },
            { [list]: [{ ...WORDS, [key]: json }, WORDS] },
            { [list]: [{ role: 'user', content: json }, WORDS] },
            { ...field, prompt: json },
          ]) {
            const text = refusedOr(() => judged(dialect.request(body)))
            expect(text).toContain(PLANTED)
          }
        }),
        { numRuns: rounds(150) },
      )
    })

    it('is judged with every other word of a random request, unless it stands on the closed list', () => {
      fc.assert(
        fc.property(JSON_VALUE, KEY, fc.nat(WRITTEN.length - 1), (json, key, style) => {
          const list = 'input' in field ? 'input' : 'messages'
          const word = (count: number): string => WRITTEN[style]!(count)
          for (const wrap of [
            (value: Json) => ({ ...field, [key]: value }),
            (value: Json) => ({ [list]: [{ ...WORDS, [key]: value }, WORDS] }),
            (value: Json) => ({ [list]: [{ role: 'user', content: value }, WORDS] }),
            (value: Json) => ({ [list]: [{ role: 'user', content: [{ type: 'text', text: 'a', [key]: value }] }] }),
            (value: Json) => ({ ...field, prompt: value }),
          ]) {
            const planted: string[] = []
            const body = wrap(filled(json, word, planted))
            if (FREE.has(key)) continue
            const text = refusedOr(() => judged(dialect.request(body)), planted.join('\n'))
            for (const each of planted) expect(text).toContain(each)
          }
        }),
        { numRuns: rounds(300) },
      )
    })

    it('is judged in a reply: in a choice, in a message, beside them', () => {
      fc.assert(
        fc.property(PLANTING, KEY, (json, key) => {
          const bodies = [
            { choices: [{ index: 0, message: { content: 'a' }, [key]: json }] },
            { choices: [{ message: { content: 'a', [key]: json } }] },
            { choices: [json] },
            { choices: [], [key]: json },
            { output: [{ type: 'message', [key]: json }] },
            { output: [], [key]: json },
            { type: 'message', content: [{ type: 'text', [key]: json }] },
            { type: 'message', content: [json], [key]: 'x' },
            { message: { content: 'a', [key]: json } },
            { message: {}, [key]: json },
          ]
          for (const body of bodies) {
            // Another shape is judged as plain text by the caller.
            if (!JSON.stringify(body).includes(PLANTED) || TOKENS.test(JSON.stringify(body))) continue
            const text = refusedOr(
              () =>
                dialect
                  .reply(body)
                  ?.map(({ text: words }) => words)
                  .join('\n') ?? PLANTED,
            )
            expect(text).toContain(PLANTED)
          }
        }),
        { numRuns: rounds(150) },
      )
    })

    it('is judged in a stream: in a chunk, an event, a name or a comment', () => {
      fc.assert(
        fc.property(
          PLANTING,
          KEY,
          fc.constantFrom('response.output_text.delta', 'content_block_delta', 'response.completed', 'x'),
          (json, key, type) => {
            const datas = [
              json,
              { [key]: json },
              { choices: [{ index: 1, delta: { [key]: json } }] },
              { choices: json },
              { type, delta: json },
              { type, output_index: 2, [key]: json },
              { type, response: { output: [json] } },
              { type, response: { [key]: json } },
              { type, index: 1, content_block: { [key]: json } },
              { message: { [key]: json } },
              { type, logprobs: json, delta: 'x' },
            ]
            for (const data of datas) {
              if (!JSON.stringify(data).includes(PLANTED) || TOKENS.test(JSON.stringify(data))) continue
              expect(
                refusedOr(() => Object.values(gather(dialect.stream(), [{ data: JSON.stringify(data) }])).join('\n')),
              ).toContain(PLANTED)
            }
            for (const event of [
              { event: PLANTED },
              { other: PLANTED },
              { data: PLANTED },
              { data: `[DONE] ${PLANTED}` },
              { data: `{"a": ${PLANTED}` },
            ]) {
              expect(Object.values(gather(dialect.stream(), [event])).join('\n')).toContain(PLANTED)
            }
          },
        ),
        { numRuns: rounds(150) },
      )
    })

    it('is judged whole when it comes in pieces', () => {
      fc.assert(
        fc.property(fc.array(fc.string({ minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 20 }), (pieces) => {
          const data = (text: string): object =>
            ({
              'openai-chat': { choices: [{ index: 0, delta: { content: text } }] },
              'openai-completions': { choices: [{ index: 0, text }] },
              'anthropic-messages': { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } },
              'openai-responses': {
                type: 'response.output_text.delta',
                output_index: 0,
                content_index: 0,
                delta: text,
              },
              'ollama-chat': { message: { content: text } },
            })[dialect.name] ?? { token: text }
          const texts = gather(
            dialect.stream(),
            pieces.map((piece) => ({ data: JSON.stringify(data(piece)) })),
          )
          expect(Object.values(texts)).toContain(pieces.join(''))
        }),
        { numRuns: rounds(100) },
      )
    })
  },
)

// JSON texts after the kinds of JSONTestSuite (https://github.com/nst/JSONTestSuite): what JSON.parse takes reaches the
// handler, and what it refuses is 400 on a route. App-wide none of them is a chat, and the app's own parser decides.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { guarded, onNode } from '../helpers/apps.js'
import { type Running, send, serve } from '../helpers/http.js'

const TEXTS = [
  // Arrays and objects
  ...['[]', '[[]]', '[ ]', '[1,2]', '[null]', '["a"]', '[1\n]', '[1,null,null,2]', '{}', '{"a":[]}', '{"":0}'],
  ...['{"a":{"b":"c"}}', '{"a":"b","c":"d"}', '{\n"a":\t"b"}\r\n', '{"\\u0000":1}', '{"a\\"b":1}'],
  ...['[', ']', '[1', '[1,]', '[,1]', '[1,,2]', '[1 true]', '["a"', '["a",', '[1]]', '[1]x', '[[[', '[}', '[1:2]'],
  ...['{', '}', '{"a"}', '{"a":}', '{"a":1,}', '{,"a":1}', '{"a":1,,"b":2}', '{a:1}', "{'a':1}", '{1:1}', '{"a" 1}'],
  ...['{"a":1}}', '{"a":1}#', '{"a":1 "b":2}', '{"a":1', '{"a', '{"a":"b', '{null:1}', '{"a"::1}', '{"a":/**/1}'],
  // Numbers
  ...'[0] [-0] [123] [1.5] [1e5] [1E+5] [1e-5] [-1] [0e1] [1e400] [123456789012345678901]'.split(' '),
  ...[
    '[01]',
    '[-01]',
    '[1.]',
    '[.5]',
    '[-]',
    '[+1]',
    '[1e]',
    '[1e+]',
    '[0x1]',
    '[1_0]',
    '[NaN]',
    '[Infinity]',
    '[1 000]',
  ],
  ...['[--1]', '[1.2.3]', '[0.e1]', '[-.1]', '[\uff11]'],
  // Strings
  ...[
    '["\\"\\\\\\/\\b\\f\\n\\r\\t"]',
    '["\\u0041"]',
    '["\\uD834\\uDD1E"]',
    '["\\uD800"]',
    '["é"]',
    '["\u2028"]',
    '["\u007f"]',
  ],
  ...[
    '["\\x41"]',
    '["\\u00G0"]',
    '["\\u12"]',
    '["\\"]',
    '["\\a"]',
    '["\t"]',
    '["\n"]',
    '["\u0000"]',
    "['a']",
    '["a\\"]',
  ],
  ...['[\\u0041]', '["a" "b"]', '[a"b"]'],
  // Words, blanks and marks
  ...['[true]', '[false]', '[null]', ' [1] ', '[1]\n'],
  ...[
    '[True]',
    '[nul]',
    '[truee]',
    '[undefined]',
    '[1]\u00a0',
    '[\u000c1]',
    '\u2060[1]',
    '//\n[1]',
    '[1]/**/',
    '{}{}',
    '[] []',
  ],
] as const

const parses = (text: string): boolean => {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

describe.each([
  ['on a route', { unknown: 'judge' }, parses],
  // Escaped letters may be the names of a chat, which a broken text hides from us and not from every parser.
  ['app-wide', {}, (text: string) => parses(text) || !text.includes('\\u0041')],
] as const)('A JSON text %s', (_mount, options, passes) => {
  let server: Running
  const handled: string[] = []
  beforeAll(async () => {
    server = await serve(
      onNode([guarded({ check: ['input'], ...options })], (req, res) => {
        let text = ''
        req.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
        req.on('end', () => {
          handled.push(text)
          res.end('{}')
        })
      }),
    )
  })
  afterAll(() => server.close())

  it.each(TEXTS)('%j', async (text) => {
    handled.length = 0
    const { status } = await send(`${server.url}/ask`, { headers: { 'content-type': 'application/json' }, body: text })
    expect([status, handled]).toEqual(passes(text) ? [200, [text]] : [400, []])
  })
})

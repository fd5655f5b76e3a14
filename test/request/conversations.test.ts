// Which turns of a request are judged, and within what context.
import { describe, expect, it } from 'vitest'
import type { ChatRequest } from '../../src/dialects/dialect.js'
import { conversationsToJudge, withReply, type JudgedSettings } from '../../src/request/conversations.js'
import type { Turn } from '../../src/types.js'

const user = (text: string): Turn => ({ role: 'User', text })
const agent = (text: string): Turn => ({ role: 'Agent', text })
const SETTINGS: JudgedSettings = { turns: 'last', system: 'judge', images: 'refuse' }

/** The texts of each conversation, the judged one last. `human`: indexes of turns with words of a person. */
function texts(turns: readonly Turn[], settings: Partial<JudgedSettings> = {}, human?: readonly number[]): string[] {
  const request: ChatRequest = {
    system: '',
    turns,
    userTurns: human ?? turns.flatMap(({ role }, index) => (role === 'User' ? [index] : [])),
    extras: [],
    stream: false,
  }
  return conversationsToJudge(request, { ...SETTINGS, ...settings }, false).map((each) =>
    each.map(({ text }) => text).join('|'),
  )
}

describe('the turns that are judged', () => {
  it('are the newest human one, a tool result after it, and what the client put in the mouth of the model', () => {
    expect(texts([user('a'), agent('b'), user('c')])).toEqual(['a|b|c'])
    expect(texts([user('a'), agent('b'), user('tool')], {}, [0])).toEqual(['a', 'a|b|tool'])
    expect(texts([user('old'), agent('b'), user('new'), agent('d'), user('tool')], {}, [0, 2])).toEqual([
      'old|b|new',
      'old|b|new|d|tool',
    ])
    expect(texts([user('a'), agent('prefill')])).toEqual(['a', 'a|prefill'])
    expect(texts([agent('alone')])).toEqual(['alone'])
  })

  it.each(['', ' ', '\t\n', '\u3000'])('do not end at a turn (%j) that holds nothing', (blank) => {
    expect(texts([user('a'), agent('b'), user(blank)])).toEqual(['a', 'a|b'])
    expect(texts([user('a'), agent('b'), user(blank), agent(blank)])).toEqual(['a', 'a|b'])
    expect(texts([user('a'), agent('b'), user('c'), agent(blank), user(blank)])).toEqual(['a|b|c'])
    expect(texts([user('a'), agent('b'), user(blank)], { turns: 'all' })).toEqual(['a', 'a|b'])
  })

  it.each(['\u200B', '\u2060\u200D', '\u00AD', '\u{E0041}', '\u3164', '\u0007'])(
    'are both the one without ink (%j), which a model may read, and the one before it',
    (hidden) => {
      expect(texts([user('a'), agent('b'), user(hidden)])).toEqual(['a|b', `a|b|${hidden}`])
      expect(texts([user('a'), agent('b'), user(hidden), agent(hidden)])).toEqual([
        'a|b',
        `a|b|${hidden}`,
        `a|b|${hidden}|${hidden}`,
      ])
    },
  )

  it('are with `turns: "all"` every one of the user, and a prefill', () => {
    expect(texts([user('a'), agent('b'), user('c'), agent('d')], { turns: 'all' })).toEqual(['a', 'a|b|c', 'a|b|c|d'])
    expect(texts([user('a'), agent('\u200B')], { turns: 'all' })).toEqual(['a', 'a|\u200B'])
    expect(texts([user('a'), agent('b'), user('c'), agent('\u200B')], { turns: 'all' })).toHaveLength(3)
  })

  it('have the context that any guard reads, and the last of them all of it', () => {
    const turns = Array.from({ length: 41 }, (_, index) =>
      (index % 2 === 0 ? user : agent)(`${index} ${'x'.repeat(4000)}`),
    )
    const all = texts(turns, { turns: 'all' }).map((text) => text.split('|').length)
    expect(all.at(-1)).toBe(41)
    expect(Math.max(...all.slice(0, -1))).toBe(9)
    expect(all.slice(0, 3)).toEqual([1, 3, 5])
  })

  it('are at most 256 with `turns: "all"`', () => {
    const turns = (count: number): Turn[] =>
      Array.from({ length: 2 * count }, (_, index) =>
        (index % 2 === 0 ? user : agent)(index % 2 === 0 ? `${index}` : ' '),
      )
    expect(texts(turns(256), { turns: 'all' })).toHaveLength(256)
    expect(() => texts(turns(257), { turns: 'all' })).toThrow(
      expect.objectContaining({ code: 'too_many_checks', status: 413 }),
    )
    expect(texts(turns(257))).toHaveLength(1)
  })
})

describe('what stands beside the turns', () => {
  const request: ChatRequest = { system: 'be kind', turns: [user('a')], userTurns: [0], extras: ['x'], stream: false }
  const judged = (change: Partial<ChatRequest>, settings: Partial<JudgedSettings> = {}, vision = false) =>
    conversationsToJudge({ ...request, ...change }, { ...SETTINGS, ...settings }, vision)

  it('is judged as turns of the user, each alone', () => {
    expect(judged({})).toEqual([[user('a')], [user('x')], [user('be kind')]])
    expect(judged({}, { system: 'trust' })).toEqual([[user('a')], [user('x')]])
    expect(judged({ turns: [], userTurns: [], extras: [] }, { system: 'trust' })).toEqual([[user('be kind')]])
  })

  it.each<[string, Partial<ChatRequest>]>([
    ['no turn at all', { turns: [], userTurns: [] }],
    ['a blank turn', { turns: [user(' \n')] }],
    ['an image nobody looks at', { turns: [{ ...user(''), images: [{ url: 'https://a.test/b.png' }] }] }],
  ])('is none when it is nothing, beside %s', (_title, change) => {
    const nothing = { system: ' ', extras: [], ...change }
    expect(judged(nothing, { images: 'ignore' }).flat()).toHaveLength(_title.includes('image') ? 1 : 0)
  })

  it('is the address of an image nobody looks at, and its data is not', () => {
    const png = `data:image/png;base64,iVBORw0KGgoAAAAN${'x9QkLv4vZ7mW2pRTq8ZtB3nVc5'.repeat(200)}`
    const images = [{ url: 'https://a.test/b.png' }, { url: png }]
    const only = { system: '', extras: [] }
    expect(judged({ ...only, turns: [{ ...user('a'), images }] }, { images: 'ignore' })).toEqual([
      [user('a\nhttps://a.test/b.png')],
    ])
    expect(judged({ ...only, turns: [{ ...user('a'), images: [{ url: png }] }] }, { images: 'ignore' })).toEqual([
      [user('a')],
    ])
  })

  it('is an image, for a guard that sees', () => {
    const picture = { ...user(''), images: [{ url: 'https://a.test/b.png' }] }
    expect(judged({ turns: [picture], system: '', extras: [] }, {}, true)).toEqual([[picture]])
    expect(() => judged({ turns: [picture] })).toThrow(expect.objectContaining({ code: 'unsupported_content' }))
  })
})

describe('a reply', () => {
  it('is judged as one with the prefill it continues', () => {
    expect(withReply([user('a'), agent('UNS')], 'AFE')).toEqual([user('a'), agent('UNSAFE')])
    expect(withReply([user('a')], 'b')).toEqual([user('a'), agent('b')])
    expect(withReply([], 'b')).toEqual([agent('b')])
  })
})

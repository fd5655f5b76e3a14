// What does not fit is cut so that every character is judged, and so that cuts stay where they are when text
// is appended.
import { describe, expect, it } from 'vitest'
import fc from 'fast-check'
import llama2 from 'llama-tokenizer-js'
import { createPrompter, type ModelName } from '../../../src/guard/prompt/index.js'
import { escapeText } from '../../../src/guard/prompt/escape.js'
import { CONVERSATION_TOKENS, MOST_PIECES } from '../../../src/guard/prompt/fit.js'
import { estimateTokens } from '../../../src/guard/prompt/tokens/counter.js'
import type { Conversation, Turn } from '../../../src/types.js'
import { rounds } from '../../helpers/sampled.js'

const user = (text: string): Turn => ({ role: 'User', text })
const agent = (text: string): Turn => ({ role: 'Agent', text })
const words = (count: number, from = 0): string =>
  Array.from({ length: count }, (_, index) => `w${from + index}`).join(' ')
const lastText = (conversation: Conversation): string => conversation.at(-1)!.text
const guard1 = createPrompter('llama-guard-1')

/** Checks that each piece is a slice, that they overlap, and that together they are the whole text. */
function expectCover(pieces: readonly string[], whole: string): void {
  let end = 0
  for (const [index, piece] of pieces.entries()) {
    const start = whole.indexOf(piece, Math.max(0, end - piece.length))
    expect(start).toBeGreaterThanOrEqual(0)
    if (index === 0) expect(start).toBe(0)
    else expect(end - start).toBeGreaterThan(0)
    end = start + piece.length
  }
  expect(end).toBe(whole.length)
}

describe('a conversation that fits', () => {
  it('comes back as it is', () => {
    const conversation = [user('one'), agent('two'), user('three')]
    expect(guard1.fit(conversation)[0]).toBe(conversation)
    expect(guard1.fit(conversation)).toHaveLength(1)
  })
})

describe('a conversation with too much context', () => {
  it('keeps the judged turn whole and drops the oldest turns first, without a gap', () => {
    const turns = Array.from({ length: 40 }, (_, index) => (index % 2 === 0 ? user : agent)(`${index} ${words(60)}`))
    const [fitted, ...more] = guard1.fit(turns)
    expect(more).toEqual([])
    expect(fitted!.length).toBeLessThan(turns.length)
    expect(fitted!.length).toBeGreaterThan(3)
    expect(fitted).toEqual(turns.slice(-fitted!.length))
  })

  it('drops an older turn that does not fit even when one before it would', () => {
    const turns = [user('tiny'), agent(words(5000)), user('judged')]
    expect(guard1.fit(turns)).toEqual([[turns[2]]])
  })

  it('caps the conversation even where the model could read much more', () => {
    const turns = Array.from({ length: 400 }, (_, index) => (index % 2 === 0 ? user : agent)(words(200)))
    const [fitted] = createPrompter('llama-guard-3-8b').fit(turns)
    expect(fitted!.reduce((sum, turn) => sum + estimateTokens(turn.text), 0)).toBeLessThanOrEqual(CONVERSATION_TOKENS)
  })
})

describe('a turn beyond the context', () => {
  const long = words(12_000)
  const texts = guard1.fit([user(long)]).map(lastText)

  it('gives prompts that stay inside the context', () => {
    for (const conversation of guard1.fit([user('q'), agent(long)])) {
      expect(llama2.encode(lastText(conversation)).length).toBeLessThan(4096 - 900 - 32)
    }
  })

  it('keeps the same pieces when text is appended, but for the last', () => {
    for (const more of [' and', ` ${words(100, 50_000)}`, ` ${words(9000, 50_000)}`]) {
      const grown = guard1.fit([user(`${long}${more}`)]).map(lastText)
      expect(grown.slice(0, texts.length - 1)).toEqual(texts.slice(0, -1))
    }
  })

  it('keeps the nearest context where it is small, and drops it where it is not', () => {
    expect(
      guard1
        .fit([user('short question'), agent(long)])
        .every((piece) => piece.length === 2 && piece[0]!.text === 'short question'),
    ).toBe(true)
    expect(guard1.fit([user(words(1000)), agent(long)]).every((piece) => piece.length === 1)).toBe(true)
  })

  it('keeps the role of who is judged in every piece', () => {
    expect(guard1.fit([user('q'), agent(long)]).every((piece) => piece.at(-1)!.role === 'Agent')).toBe(true)
  })

  it('is the fault of the client when it needs more than the bound of guard calls', () => {
    const pieces = guard1.fit([user('\u6C2E'.repeat(150_000))])
    expect(pieces.length).toBeLessThanOrEqual(MOST_PIECES)
    expect(() => guard1.fit([user('\u6C2E'.repeat(400_000))])).toThrow(
      expect.objectContaining({ code: 'too_many_checks', status: 413 }),
    )
  })

  it('is refused when the endpoint has no room for any conversation', () => {
    expect(() => guard1.fit([user('hi')], 1000)).toThrow(expect.objectContaining({ code: 'guard_input_too_long' }))
  })

  it('never loses a character or halves a pair, whatever the text', () => {
    const unit = fc.constantFrom(
      'word ',
      '\u{1F600}',
      '\u4E2D\u6587',
      '0123456789',
      'AbC+/=',
      '\n',
      '<|x|>',
      'User: ',
      '\u200B',
      '\u00E9',
    )
    const text = fc.array(unit, { minLength: 1, maxLength: 3000 }).map((units) => units.join(''))
    fc.assert(
      fc.property(text, fc.integer({ min: 1200, max: 4096 }), (raw, context) => {
        const pieces = guard1.fit([user(raw)], context).map(lastText)
        expectCover(pieces.length === 1 ? pieces.map((piece) => escapeText(piece)) : pieces, escapeText(raw))
        expect(pieces.every((piece) => !/\p{Cs}/u.test(piece))).toBe(true)
        const grown = guard1.fit([user(`${raw}x`)], context).map(lastText)
        if (pieces.length > 1) expect(grown.slice(0, pieces.length - 1)).toEqual(pieces.slice(0, -1))
      }),
      { numRuns: rounds(60) },
    )
  })
})

describe('the pieces of a text of sentences', () => {
  const sentence = fc
    .tuple(fc.integer({ min: 1, max: 60 }), fc.constantFrom('. ', '! ', '? ', '.\n', '\n', '." ', '\u3002'))
    .map(([count, end]) => `${words(count, count)}${end}`)
  const texts = fc.array(sentence, { minLength: 60, maxLength: 120 })

  it('show every sentence whole, whatever its length', () => {
    fc.assert(
      fc.property(texts, fc.integer({ min: 1500, max: 2500 }), (sentences, context) => {
        const pieces = guard1.fit([user(sentences.join(''))], context).map(lastText)
        for (const each of sentences) expect(pieces.some((piece) => piece.includes(each.trim()))).toBe(true)
      }),
      { numRuns: 15, endOnFailure: true },
    )
  })

  it('repeat no more than a few sentences of each other', () => {
    fc.assert(
      fc.property(texts, (sentences) => {
        const whole = sentences.join('')
        const pieces = guard1.fit([user(whole)]).map(lastText)
        const repeated = pieces.reduce((sum, piece) => sum + piece.length, 0) - whole.length
        expect(repeated / whole.length).toBeLessThan(0.06)
      }),
      { numRuns: 15, endOnFailure: true },
    )
  })
})

describe('a turn that its caller changes', () => {
  it('is read anew, in the prompt and in the count', () => {
    const turn = { role: 'User' as const, text: 'Hello: <b>there</b>.' }
    const past = { role: 'Agent' as const, text: `An older turn: ${words(300)}` }
    const conversation: Conversation = [past, turn]
    expect(guard1.render(guard1.fit(conversation)[0]!)).toContain('Hello: <b>there</b>.')
    turn.text = `Another text: <i>${words(400)}</i>`
    past.text = `A longer turn: ${words(2000)}`
    const [fitted] = guard1.fit(conversation)
    expect(fitted).toEqual([turn])
    expect(guard1.render(fitted!)).toContain('Another text: <i>w0 w1')
    turn.text = 'Hi: <u>you</u>.'
    expect(guard1.render(conversation)).toContain('Hi: <u>you</u>.')
  })
})

describe('the context of a reply', () => {
  const chat = Array.from({ length: 41 }, (_, index) => (index % 2 === 0 ? user : agent)(`${index} ${words(40)}.`))
  const contextOf = (reply: string, turns: Conversation = chat): Conversation =>
    guard1.fit([...turns, agent(reply)])[0]!.slice(0, -1)

  it('stays the same while the reply grows, so that its checks begin with the same prompt', () => {
    const sizes = [0, 1, 10, 100, 250].map((count) => contextOf(`Yes. ${words(count)}`))
    for (const context of sizes) expect(context).toEqual(sizes[0])
    expect(sizes[0]!.at(-1)).toBe(chat.at(-1))
    expect(sizes[0]!.length).toBeGreaterThan(4)
  })

  it('is the whole question where it fits beside the reply, however long it is', () => {
    const question = user(words(600))
    expect(contextOf('Yes.', [...chat, agent('Go on.'), question])).toEqual([question])
  })
})

describe('images that do not fit one prompt', () => {
  const image = (name: string): { url: string } => ({ url: `https://h/${name}` })
  const fit = (model: ModelName, conversation: Conversation, context?: number): readonly Conversation[] =>
    createPrompter(model).fit(conversation, context)

  it('get a piece each where the model takes one', () => {
    const pieces = fit('llama-guard-3-11b-vision', [
      user('before'),
      { role: 'User', text: 'look', images: [image('a'), image('b'), image('c')] },
    ])
    expect(pieces.map((piece) => piece.at(-1))).toEqual(
      ['a', 'b', 'c'].map((name) => ({ role: 'User', text: 'look', images: [image(name)] })),
    )
    expect(pieces.every((piece) => piece[0]!.text === 'before')).toBe(true)
  })

  it('leave the context to the judged turn, or to the newest image before a reply', () => {
    const earlier: Turn = { role: 'User', text: 'old', images: [image('old')] }
    const newer: Turn = { role: 'User', text: 'new', images: [image('x'), image('y')] }
    expect(
      fit('llama-guard-3-11b-vision', [earlier, agent('ok'), { role: 'User', text: 'look', images: [image('a')] }])[0],
    ).toEqual([user('old'), agent('ok'), { role: 'User', text: 'look', images: [image('a')] }])
    expect(fit('llama-guard-3-11b-vision', [earlier, agent('ok'), newer, agent('reply')])).toEqual([
      [user('old'), agent('ok'), { role: 'User', text: 'new', images: [image('x')] }, agent('reply')],
    ])
  })

  it('share a prompt where the model takes several, up to the room they need', () => {
    const many: Turn = { role: 'User', text: 'look', images: ['a', 'b', 'c'].map(image) }
    const pieces = fit('llama-guard-4-12b', [many])
    expect(pieces.flatMap((piece) => piece.at(-1)!.images ?? [])).toEqual(many.images)
    expect(fit('llama-guard-4-12b', [{ ...many, images: [image('a')] }])).toEqual([[{ ...many, images: [image('a')] }]])
  })

  it('are judged beside long text too', () => {
    const pieces = fit('llama-guard-3-11b-vision', [
      { role: 'User', text: words(12_000), images: [image('a'), image('b')] },
    ])
    expect(pieces.flatMap((piece) => piece.at(-1)!.images ?? [])).toEqual([image('a'), image('b')])
    expectCover([...new Set(pieces.map(lastText))], words(12_000))
  })

  it('are judged in sets of five, or of fewer where the endpoint has little room', () => {
    const sets = (count: number, context?: number): number[] =>
      fit(
        'llama-guard-4-12b',
        [{ role: 'User', text: 'look', images: Array.from({ length: count }, (_, index) => image(`${index}`)) }],
        context,
      ).map((piece) => piece.at(-1)!.images!.length)
    expect([sets(5), sets(6), sets(10), sets(11)]).toEqual([[5], [5, 1], [5, 5], [5, 5, 1]])
    expect(sets(3, 8192)).toEqual([1, 1, 1])
    expect(() => sets(2000)).toThrow(expect.objectContaining({ code: 'too_many_checks' }))
  })

  it('leave the room for text as it is where the context is long', () => {
    const text = words(1500)
    expect(
      fit('llama-guard-4-12b', [{ role: 'User', text, images: ['a', 'b', 'c', 'd', 'e'].map(image) }]),
    ).toHaveLength(1)
  })

  it('never make more than five of one prompt, those of the context included', () => {
    const turn = (name: string): Turn => ({ role: 'User', text: name, images: [image(`${name}1`), image(`${name}2`)] })
    const [only] = fit('llama-guard-4-12b', [turn('a'), agent('x'), turn('b'), agent('y'), turn('c')])
    expect(only!.flatMap(({ images = [] }) => images).length).toBe(4)
  })
})

describe('the estimate of a text that is not plain', () => {
  it('is counted, although the text is short: its characters take more tokens than one', () => {
    // A character that Llama 2 writes in three bytes, and one that is a token.
    expect(guard1.fit([user('\u6C2E'.repeat(2500))]).length).toBeGreaterThan(1)
    expect(guard1.fit([user('\u4E2D'.repeat(2500))])).toHaveLength(1)
    expect(guard1.fit([user('a'.repeat(2500))])).toHaveLength(1)
    const past = [user('\u6C2E'.repeat(1500)), agent('ok'), user('hi')]
    expect(guard1.fit(past)[0]!.length).toBeLessThan(3)
  })
})

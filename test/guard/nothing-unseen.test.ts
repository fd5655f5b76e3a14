// Nothing a client sends is unseen by the guard: whatever the conversation, the options and the context of the model,
// every word and every picture of a request is in a rendered prompt, and a growing chat pays for its new words alone.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { anyUnsafe } from '../../src/index.js'
import type { ChatRequest } from '../../src/dialects/dialect.js'
import { LlamaGuardError } from '../../src/types/errors.js'
import { promptedGuard } from '../../src/guard/backends/prompted.js'
import { createPrompter, type ModelName } from '../../src/guard/prompt/index.js'
import { conversationsToJudge, type JudgedSettings } from '../../src/request/conversations.js'
import type { Guard, Role, Turn } from '../../src/types.js'
import { judgeOf } from './fake-guards.js'
import { rounds } from '../helpers/sampled.js'

const SETTINGS: JudgedSettings = { turns: 'last', system: 'judge', images: 'refuse' }

/** A guard that keeps its prompts. `takes`: more characters than this are too long for its endpoint. */
function recording(model: ModelName = 'llama-guard-1', contextTokens?: number, takes = Infinity) {
  const prompts: string[] = []
  const prompter = createPrompter(model)
  const guard = promptedGuard({
    prompter:
      contextTokens === undefined
        ? prompter
        : { ...prompter, contextTokens, fit: (turns, tokens) => prompter.fit(turns, tokens ?? contextTokens) },
    complete: async (prompt) => {
      if (prompt.length > takes) throw new LlamaGuardError('guard_input_too_long')
      prompts.push(prompt)
      return { text: 'safe' }
    },
    identity: 'recording',
    images: 'markdown',
  })
  return { guard, prompts }
}

const requestOf = (turns: readonly Turn[], rest: Partial<ChatRequest> = {}): ChatRequest => ({
  system: '',
  turns,
  userTurns: turns.flatMap(({ role }, index) => (role === 'User' ? [index] : [])),
  extras: [],
  stream: false,
  ...rest,
})

async function judged(guard: Guard, request: ChatRequest, settings: Partial<JudgedSettings> = {}, maxChecks = 256) {
  const judge = judgeOf(guard, { maxChecks, cacheMax: 0 })
  return judge.judgeAll(conversationsToJudge(request, { ...SETTINGS, ...settings }, guard.vision === true), {
    stage: 'input',
  })
}

let made = 0
/** Words of a language, each third one a word that no other text holds: a tokenizer cuts such a word into letters. */
const wordsOf = (count: number): string =>
  Array.from({ length: count }, (_, index) => (index % 3 === 0 ? `w${letters(made++)}x` : 'common')).join(' ')
const letters = (number: number): string =>
  number.toString(26).replace(/./g, (digit) => 'abcdefghijklmnopqrstuvwyzq'[parseInt(digit, 26)] ?? '')

/** So many turns of so many words, from both sides in turn. */
const chatOf = (turns: number, words: number): Turn[] =>
  Array.from({ length: turns }, (_, index) => ({ role: index % 2 === 0 ? 'User' : 'Agent', text: wordsOf(words) }))

const BLANKS = [' ', '\n\t', '\u200B', '\u2060\u200D', '\uFEFF', '\u2800', '\u3164']
/** A number of words, or a blank text. */
const said = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: 1, max: 30 }) },
  { weight: 2, arbitrary: fc.integer({ min: 100, max: 1500 }) },
  { weight: 2, arbitrary: fc.constantFrom(...BLANKS) },
)
const spec = (pictures: boolean) =>
  fc.record({
    first: fc.constantFrom<Role>('User', 'Agent'),
    says: fc.array(fc.record({ said, pictures: pictures ? fc.constantFrom(0, 0, 0, 1, 2, 7) : fc.constant(0) }), {
      minLength: 1,
      maxLength: 12,
    }),
    turns: fc.constantFrom<JudgedSettings['turns']>('last', 'all'),
    panel: fc.boolean(),
  })
const OTHER = { User: 'Agent', Agent: 'User' } as const
/** Made in the property: a counterexample is then told in numbers. */
const turnsOf = ({ first, says }: { first: Role; says: { said: number | string; pictures: number }[] }): Turn[] =>
  says.map(({ said, pictures }, index) => ({
    role: index % 2 === 0 ? first : OTHER[first],
    text: typeof said === 'number' ? wordsOf(said) : said,
    ...(pictures > 0 && { images: Array.from({ length: pictures }, () => ({ url: `https://h/pic${made++}` })) }),
  }))

const planted = (turns: readonly Turn[]): readonly string[] =>
  turns.flatMap(({ text, images = [] }) => [...(text.match(/\bw[a-z]+x\b/g) ?? []), ...images.map(({ url }) => url)])

function expectSeen(prompts: readonly string[], wanted: readonly string[]): void {
  const seen = new Set(prompts.join('\n').match(/\bw[a-z]+x\b|https:\/\/h\/pic\d+/g))
  expect(wanted.filter((word) => !seen.has(word)).slice(0, 5)).toEqual([])
}

describe('every word of a request is in a prompt', () => {
  const CASES: readonly (readonly [ModelName, number | undefined, number | undefined, boolean])[] = [
    ['llama-guard-1', undefined, undefined, false],
    ['llama-guard-1', 1800, undefined, false],
    ['llama-guard-3-8b', 4096, undefined, false],
    ['llama-guard-3-8b', undefined, 9000, false],
    ['llama-guard-3-11b-vision', undefined, undefined, true],
    ['llama-guard-4-12b', undefined, undefined, true],
    ['llama-guard-4-12b', 12_000, undefined, true],
  ]
  it.each(CASES)(
    'with %s, a context of %s tokens and an endpoint that takes %s characters',
    async (model, context, takes, pictures) => {
      await fc.assert(
        fc.asyncProperty(spec(pictures), async (given) => {
          const turns = turnsOf(given)
          const wanted = planted(turns)
          if (wanted.length === 0) return
          const { guard, prompts } = recording(model, context, takes)
          const asked = given.panel ? Object.assign(anyUnsafe([guard]), { vision: guard.vision }) : guard
          const judgements = await judged(asked, requestOf(turns), { turns: given.turns })
          expect(judgements.map((each) => ('error' in each ? each.error.code : each.verdict.safe))).toEqual(
            judgements.map(() => true),
          )
          expectSeen(prompts, wanted)
        }),
        { numRuns: rounds(40) },
      )
    },
    60_000,
  )

  it('holds for a fallback that reads less than the first choice', async () => {
    const first: Guard = { model: 'down', judge: () => Promise.reject(new LlamaGuardError('guard_unavailable')) }
    const { guard, prompts } = recording('llama-guard-1', 1300)
    const turns = chatOf(9, 200)
    const judge = judgeOf(first, { fallback: [guard], cacheMax: 0, maxAttempts: 1 })
    const conversations = conversationsToJudge(requestOf(turns, { system: wordsOf(500) }), SETTINGS, false)
    for (const judgement of await judge.judgeAll(conversations, { stage: 'input' }))
      expect(judgement).toHaveProperty('verdict')
    expectSeen(prompts, planted(turns))
  })
})

describe('a blank last turn', () => {
  it.each(BLANKS)('(%j) hides nothing that stands before it', async (blank) => {
    for (const blanks of [[blank], [blank, ' ', blank]]) {
      const turns: Turn[] = [
        { role: 'User', text: wordsOf(3) },
        { role: 'Agent', text: wordsOf(3) },
        ...blanks.map((text, index): Turn => ({ role: index % 2 === 0 ? 'User' : 'Agent', text })),
      ]
      const { guard, prompts } = recording()
      await judged(guard, requestOf(turns))
      expectSeen(prompts, planted(turns))
      // Judged, and not only context of a turn without words.
      const conversations = conversationsToJudge(requestOf(turns), SETTINGS, false)
      if (blank !== '\u2800') expect(conversations.map((each) => each.at(-1)!.text)).toContain(turns[1]!.text)
    }
  })
})

describe('a turn that no prompt has room for', () => {
  it('is judged: an old message that is unsafe by itself blocks', async () => {
    for (const role of ['User', 'Agent'] as const) {
      const turns: Turn[] = [{ role: 'User', text: 'Hello.' }, { role, text: 'UNSAFE' }, ...chatOf(21, 300)]
      const prompter = createPrompter('llama-guard-1')
      const guard: Guard = {
        fit: (conversation) => prompter.fit(conversation),
        judge: async (conversation) => ({ safe: !conversation.at(-1)!.text.includes('UNSAFE'), categories: [] }),
      }
      const judgements = await judged(guard, requestOf(turns))
      expect(judgements.some((each) => 'verdict' in each && !each.verdict.safe)).toBe(true)
    }
  })

  it('is left to the other guards of a panel by one that does not judge its side', async () => {
    const { guard, prompts } = recording()
    const users: Guard = {
      judges: ['User'],
      fit(conversation) {
        if (conversation.at(-1)!.role === 'Agent') throw new LlamaGuardError('guard_rejected')
        return [conversation.slice(-1)]
      },
      judge: () => Promise.resolve({ safe: true, categories: [] }),
    }
    const turns = chatOf(21, 150)
    for (const judgement of await judged(anyUnsafe([guard, users]), requestOf(turns)))
      expect(judgement).toHaveProperty('verdict')
    expectSeen(prompts, planted(turns))
  })

  it('is context alone at the output, where the request has been judged already', async () => {
    const { guard, prompts } = recording()
    await judgeOf(guard).judge(chatOf(40, 150), { stage: 'output' })
    expect(prompts).toHaveLength(1)
  })

  it("is not dropped by a guard of the user's own that cuts", async () => {
    const asked: string[] = []
    const guard: Guard = {
      fit: (conversation) => [conversation.slice(-1)],
      judge: async (conversation) => {
        asked.push(...conversation.map(({ text }) => text))
        return { safe: true, categories: [] }
      },
    }
    await judged(
      guard,
      requestOf([
        { role: 'User', text: 'old' },
        { role: 'Agent', text: 'older' },
        { role: 'User', text: 'new' },
      ]),
    )
    expect(asked).toEqual(['new', 'old', 'older'])
  })
})

describe('a chat that grows', () => {
  it.each(['llama-guard-1', 'llama-guard-4-12b'] as const)('asks %s about its new words alone', async (model) => {
    const { guard, prompts } = recording(model)
    const judge = judgeOf(guard, { maxChecks: 32 })
    const turns: Turn[] = []
    const calls: number[] = []
    for (let exchange = 0; exchange < 100; exchange++) {
      turns.push({ role: 'User', text: wordsOf(30 + (exchange % 7) * 30) })
      const before = prompts.length
      const judgements = await judge.judgeAll(
        conversationsToJudge(requestOf([...turns], { system: 'Be kind.' }), SETTINGS, false),
        { stage: 'input' },
      )
      for (const judgement of judgements) expect(judgement).toHaveProperty('verdict')
      calls.push(prompts.length - before)
      turns.push({ role: 'Agent', text: wordsOf(80 + (exchange % 5) * 30) })
    }
    expectSeen(prompts, planted(turns.slice(0, -1)))
    expect(prompts.length / 100).toBeLessThan(3)
    expect(Math.max(...calls)).toBeLessThanOrEqual(6)
  })

  it('is let in cold, at two hundred turns, within the default of maxChecks', async () => {
    const turns = chatOf(201, 100)
    const { guard, prompts } = recording()
    const judgements = await judged(guard, requestOf(turns), {}, 32)
    for (const judgement of judgements) expect(judgement).toHaveProperty('verdict')
    expect(prompts.length).toBeLessThanOrEqual(32)
    expectSeen(prompts, planted(turns))
  })

  it('costs linear work with `turns: "all"`, and is refused before any call when too much is new', async () => {
    const { guard, prompts } = recording()
    const time = async (count: number): Promise<number> => {
      const turns: Turn[] = Array.from({ length: count }, (_, index) => ({
        role: index % 2 ? 'Agent' : 'User',
        text: `t${index}`,
      }))
      const before = process.cpuUsage()
      const result = await Promise.resolve()
        .then(() => judged(guard, requestOf(turns), { turns: 'all' }, 32))
        .catch((error: unknown) => error)
      expect(JSON.stringify(result)).toContain('too_many_checks')
      const { user, system } = process.cpuUsage(before)
      return (user + system) / 1000
    }
    await time(1000)
    // Milliseconds of CPU. Quadratic work would take minutes.
    expect(await time(30_000)).toBeLessThan(1500)
    expect(await time(500)).toBeLessThan(1500)
    expect(prompts).toEqual([])
  })

  it('with `turns: "all"` asks about each user turn once', async () => {
    const { guard, prompts } = recording()
    const judge = judgeOf(guard)
    const turns: Turn[] = []
    for (let exchange = 0; exchange < 40; exchange++) {
      turns.push({ role: 'User', text: wordsOf(5) })
      const judgements = await judge.judgeAll(
        conversationsToJudge(requestOf([...turns]), { ...SETTINGS, turns: 'all' }, false),
        { stage: 'input' },
      )
      for (const judgement of judgements) expect(judgement).toHaveProperty('verdict')
      turns.push({ role: 'Agent', text: wordsOf(5) })
    }
    expect(prompts).toHaveLength(40)
  })
})

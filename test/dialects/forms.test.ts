// What each dialect reads and writes, whole: its files under test/fixtures/forms say it, and `npm test -- -u FILE` writes
// them anew. A difference is a change of what clients get or of what is judged, so read it before you keep it.
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import type { Dialect, StreamEvent } from '../../src/dialects/dialect.js'
import { generic } from '../../src/dialects/generic.js'
import { BUILT_IN, replyReader } from '../../src/dialects/index.js'
import { LlamaGuardError } from '../../src/types/errors.js'
import type { Decision } from '../../src/types.js'
import { WHOLE } from './documented-replies.js'
import { MAXIMAL, type MaximalBody } from './maximal-bodies.js'
import { REPLIES } from './replies.js'
import { BLOCKED, wholeStream } from './streams.js'

const CALLS = [
  { id: 1, method: 'tools/call' },
  { id: 'two', method: 'prompts/get' },
  { id: 3, method: 'resources/read' },
]
const OTHER = { path: '/', body: { input: 'Hello.', purpose: 'a greeting', messages: [] } }
const WORDS = 'I cannot help.'
const FAILED = new LlamaGuardError('guard_timeout')
const AT_INPUT: Decision = { ...BLOCKED, stage: 'input' }
const REFUSAL = {
  message: 'No.',
  type: 'content_policy_violation',
  code: 'content_filter',
  requestId: 'r',
  status: 451,
}

beforeAll(() => void vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2026, 0) }))
afterAll(() => void vi.useRealTimers())

/** Ids that are new each time are no part of a form. */
const still = (text: string): string =>
  text.replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, 'UUID')

function refusals(dialect: Dialect): object {
  const { categories, model } = BLOCKED
  const whole = { ...REFUSAL, categories: [...categories!], score: 0.9, model }
  const declined = { words: WORDS, model: 'asked', calls: CALLS }
  return {
    'of the request': dialect.refusal({ ...whole, stage: 'input' }),
    'of the reply': dialect.refusal({ ...whole, stage: 'output', calls: CALLS }),
    unavailable: dialect.refusal({ ...REFUSAL, stage: 'input', status: 503, code: 'guard_timeout' }),
    declined: dialect.decline?.({ ...declined, decision: BLOCKED, stream: false }),
    'declined in a stream': dialect.decline?.({ ...declined, decision: AT_INPUT, stream: true }),
  }
}

/** The texts of each event, and the last words of a stream of which the events up to this one have left. */
function streamed(dialect: Dialect, events: readonly StreamEvent[]): object[] {
  const reader = replyReader(dialect, { calls: CALLS })
  let before = ''
  return [-1, ...events.keys()].map((last) => {
    const left = replyReader(dialect, { calls: CALLS })
    for (const each of events.slice(0, last + 1)) {
      left.read(each)
      left.leaves?.()
    }
    const ends = {
      blocked: left.block(BLOCKED).split('\n\n'),
      declined: left.block(BLOCKED, WORDS).split('\n\n'),
      failed: left.fail(FAILED).split('\n\n'),
    }
    const changed = still(JSON.stringify(ends)) !== before
    before = still(JSON.stringify(ends))
    return { ...(last >= 0 && { texts: reader.read(events[last]!) }), ...(changed && ends) }
  })
}

/** Without the ids, which are a set that is asked and not read. */
function request(dialect: Dialect, { body }: MaximalBody): object {
  const { ids: _, ...read } = dialect.request(body)
  return read
}

it.each([...BUILT_IN, generic].map((dialect) => ({ name: dialect.name, dialect })))(
  'What $name reads and writes is what its file says.',
  async ({ name, dialect }) => {
    const replies = WHOLE.filter(([, of]) => of === dialect).map(([, , body]) => body)
    const forms = {
      requests: Object.entries({ other: OTHER, ...MAXIMAL })
        .filter(([of]) => of.split(',')[0] === name || of === 'other')
        .map(([, each]) => request(dialect, each)),
      replies: [REPLIES[name]?.('Hello.') ?? {}, ...replies].map((body) => dialect.reply(body)),
      stream: streamed(dialect, wholeStream(name)),
      refusals: refusals(dialect),
    }
    await expect(`${still(JSON.stringify(forms, null, 1))}\n`).toMatchFileSnapshot(`../fixtures/forms/${name}.json`)
  },
)

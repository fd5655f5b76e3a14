// A stream is read in the API of its first event, whatever API was asked: which events tell the API.
import { EventType } from '@ag-ui/client'
import { describe, expect, it } from 'vitest'
import { agUi } from '../../src/dialects/ag-ui.js'
import { cohereChat } from '../../src/dialects/cohere-chat.js'
import type { Dialect } from '../../src/dialects/dialect.js'
import { generic } from '../../src/dialects/generic.js'
import { openaiChat } from '../../src/dialects/openai-chat.js'
import { replyReader } from '../../src/dialects/index.js'
import { LlamaGuardError } from '../../src/types/errors.js'
import { BLOCKED, event } from './streams.js'

/** Names that an app may give to events of its own, and events that never come first. */
const NO_SIGN = new Set(['RAW', 'CUSTOM', 'REASONING_ENCRYPTED_VALUE', 'SUBAGENT_FINISHED', 'SUBAGENT_ERROR'])
const AG_UI = Object.values<string>(EventType).filter((type) => !NO_SIGN.has(type) && !type.startsWith('THINKING'))
/** https://docs.cohere.com/v2/docs/streaming */
const COHERE = `message-start content-start content-delta content-end tool-plan-delta tool-call-start
  tool-call-delta tool-call-end message-end`.split(/\s+/)

const answers = (dialect: Dialect, data: unknown): boolean => dialect.answers?.(data) === true

describe.each([
  { name: 'AG-UI', dialect: agUi, types: AG_UI },
  { name: 'Cohere', dialect: cohereChat, types: COHERE },
])('Of $name', ({ dialect, types }) => {
  it.each(types)('the event %s tells the API, and nothing that is nearly the same.', (type) => {
    expect(answers(dialect, { type })).toBe(true)
    for (const other of [`${type}X`, `X${type}`, '', 5, undefined])
      expect(answers(dialect, { type: other })).toBe(false)
    for (const data of [type, [type], null]) expect(answers(dialect, data)).toBe(false)
  })
})

it('A stream of another API than was asked ends in its own events.', () => {
  for (const asked of [openaiChat, cohereChat]) {
    const reader = replyReader(asked)
    const first = event({ type: 'STEP_STARTED', stepName: 's' })
    reader.read(first)
    reader.leaves?.()
    expect(reader.fail(new LlamaGuardError('guard_timeout'))).toContain('"type":"RUN_ERROR"')
  }
})

it('A stream of no known API says nothing after its end.', () => {
  const reader = generic.stream()
  for (const each of [event({ text: 'a' }), event('[DONE]')]) {
    expect(reader.block(BLOCKED)).toContain('content_filter')
    reader.read(each)
    reader.leaves?.()
  }
  const last = [reader.block(BLOCKED), reader.block(BLOCKED, 'No.'), reader.fail(new LlamaGuardError('guard_timeout'))]
  expect(last).toEqual(['', '', ''])
})

// Descriptions of a dialect that cannot work are found when it is made, whoever makes it.
import { expect, it } from 'vitest'
import { anthropicMessages } from '../../src/dialects/anthropic-messages.js'
import { customDialect } from '../../src/dialects/custom.js'
import type { Refusal } from '../../src/dialects/dialect.js'

const request = (): object => ({ turns: [] })

it.each<[string, unknown]>([
  ['nothing', undefined],
  ['null', null],
  ['a text', 'own'],
  ['no name', { request }],
  ['a name with a blank', { name: 'my own', request }],
  ['a name that is too long', { name: 'x'.repeat(65), request }],
  ['a path without a slash', { name: 'own', paths: ['ask'], request }],
  ['a path alone, outside of a list', { name: 'own', paths: '/ask', request }],
  ['no request', { name: 'own' }],
  ['claims that are no function', { name: 'own', request, claims: true }],
  ['a reply that is no function', { name: 'own', request, reply: 'answer' }],
  ['an unknown framing', { name: 'own', request, framing: 'xml' }],
])('A dialect of %s is a wrong option.', (_what, options) => {
  expect(() => customDialect(options as never)).toThrow(expect.objectContaining({ code: 'invalid_option' }))
})

it.each([
  { stage: 'input', param: 'messages' },
  { stage: 'output', param: 'content' },
] as const)('A refusal of the $stage names the field $param to clients of Anthropic.', ({ stage, param }) => {
  const refusal: Refusal = {
    code: 'content_filter',
    message: 'm',
    type: 't',
    status: 451,
    stage,
    requestId: 'r',
  } as never
  expect(JSON.stringify(anthropicMessages.refusal(refusal))).toContain(`"param":"${param}"`)
})

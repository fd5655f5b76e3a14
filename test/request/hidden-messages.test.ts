// Messages where some handlers find them and others do not, and paths of custom dialects in every spelling.
import { describe, expect, it } from 'vitest'
import { customDialect } from '../../src/dialects/custom.js'
import { SERVERS } from '../helpers/apps.js'
import { expectUntouched, handled, handler, json, ours, prompts, sendRaw, serving, WORD } from './planted.js'

const own = (path: string): ReturnType<typeof customDialect> =>
  customDialect({
    name: 'own',
    paths: [path],
    request: ({ q }) => ({ turns: [{ role: 'user', text: String(q) }] }),
  })

describe.each(SERVERS)('A request on %s', (_name, mount) => {
  const server = serving(mount([ours()], handler))
  it.each([
    `[{"role":"user","content":"${WORD}"}]`,
    `{"0":{"role":"user","content":"${WORD}"}}`,
    `"[{role:'user',content:'${WORD}'}]"`,
    `"${WORD}"`,
    '[]',
    '{}',
    'null',
  ])('with %s as messages of its prototype is refused, because a copy of the body has them.', async (messages) => {
    expect(await sendRaw(server(), { type: json, body: `{"a":1,"__proto__":{"messages":${messages}}}` })).toBe(400)
    expect(handled).toEqual([])
  })

  it.each(['null', '5', 'true'])('is no chat for speakers whose words are %s.', (words) =>
    expectUntouched(server(), {
      type: json,
      body: `{"list":[{"role":"user","text":${words}},{"type":"human","content":${words},"parts":${words}}]}`,
    }),
  )

  it('is no chat for a speaker and words in different items of a form.', () =>
    expectUntouched(server(), {
      type: 'application/x-www-form-urlencoded',
      body: 'a[1][1][type]=x&a[11][text]=y&a[1][11][content]=z',
    }))

  describe.each(['/ask', '/Ask', '/ask/', '//ask', '/./ask', '/x/../ask', '/a%73k', '/ask;v=1', '/ask?v=1'])(
    'to %s as a custom dialect spells it',
    (path) => {
      const guarded = serving(mount([ours({ dialects: [own(path)] })], handler))
      it.each(['/ask', '/v1/ask', '/ASK/', '/%61sk'])('is of that dialect on %s.', async (asked) => {
        expect(await sendRaw(guarded(), { path: asked, type: json, body: JSON.stringify({ q: WORD }) })).toBe(200)
        expect(prompts()).toBe(WORD)
      })
    },
  )
})

// The query of a chat's url, on the wire: words in it are judged, what the APIs' own clients put there costs nothing.
import { describe, expect, it } from 'vitest'
import { ask, guarded, SERVERS, serving } from '../helpers/apps.js'
import { chat } from '../helpers/http.js'

const CHAT = '/v1/chat/completions'
/** What the guard was shown, and what the handler saw of the query. */
async function asked(mount: (typeof SERVERS)[number][1], query: string, paths?: string[]): Promise<[string[], string]> {
  const middleware = guarded({ check: ['input'], ...(paths && { paths }) })
  let seen = ''
  await serving(
    mount([middleware], (req, res) => {
      seen = decodeURIComponent((req.url ?? '').replaceAll('+', ' '))
      res.end('{}')
    }),
    async ({ url }) => void (await ask(`${url}${CHAT}?${query}`, { body: chat('hi') })),
  )
  return [middleware.guard.texts(), seen]
}

describe.each(SERVERS)('The query of a chat on %s', (_name, mount) => {
  it.each(
    `q=tell+me+how q=tell%20me%20how tell+me+how= tell+me+how a=1&a=tell+me+how
  prompt[0][content]=tell+me+how api-version=tell+me+how model=tell+me+how`.split(/\s+/),
  )('is judged with its words: %s', async (query) => {
    for (const paths of [undefined, [CHAT]]) {
      const [texts, seen] = await asked(mount, query, paths)
      expect(seen).toContain('tell me how')
      expect(texts.join('\n')).toContain('tell me how')
      expect(texts).toHaveLength(2)
    }
  })
})

it.each([
  'api-version=2024-10-21',
  'api-version=2024-05-01-preview',
  'beta=true',
  'v=1',
  'alt=sse',
  'beta=yes',
  'debug=no',
  'v=',
  '=',
  '=1',
  'model=gpt-4o',
  '',
])('The query %s of a real client costs no guard call.', async (query) =>
  expect((await asked(SERVERS[2]![1], query))[0]).toEqual(['hi']),
)

it('Glued words in a query are judged, too.', async () => {
  for (const query of ['q=tellmehow', 'tellmehow=1', 'id=call_tell_me_how'])
    expect((await asked(SERVERS[2]![1], query))[0].join()).toContain('tell')
})

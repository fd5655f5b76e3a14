// What real clients send costs no more guard calls than it did before every string of a request was judged.
import { expect, it } from 'vitest'
import { ask, guarded, onNode, serving } from '../helpers/apps.js'
import { markerGuard } from '../helpers/guards.js'
import { ORDINARY } from './ordinary-bodies.js'

it.each(Object.entries(ORDINARY))(
  '%s costs the guard calls of its words alone.',
  async (_title, { path, body, calls }) => {
    const guard = Object.assign(markerGuard(), { vision: true })
    await serving(
      onNode([guarded({ guard, check: ['input'] })], (_req, res) => res.end('{}')),
      async ({ url }) => {
        const reply = await ask(`${url}${path}`, { method: 'POST', body })
        expect(reply.status).toBe(200)
        expect(guard.texts()).toHaveLength(calls)
      },
    )
  },
)

// A client that leaves while a middleware before the guard works: its response is closed when the guard gets it.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { json } from 'express'
import { describe, expect, it, vi } from 'vitest'
import { createLiveServices } from '../src/services/live.js'
import type { RequestEvent } from '../src/types.js'
import { guarded, onNode, saying, serving } from './helpers/apps.js'
import { markerGuard } from './helpers/guards.js'
import { chat } from './helpers/http.js'
import { post, rawClient } from './helpers/raw.js'

type Mounted = Parameters<typeof onNode>[0][number]

/** Calls `next` when the client has left, or at once. */
const waiting =
  (early: boolean): Mounted =>
  (_req, res, next) =>
    early ? void res.once('close', () => setTimeout(next, 5)) : next()

async function asking(early: boolean, middleware: Mounted, { body = chat('hi'), before = [] as Mounted[] } = {}) {
  let came = false
  const told: Mounted = (_req, _res, next) => {
    came = true
    next()
  }
  await serving(onNode([...before, told, waiting(early), middleware], saying('Hello')), async ({ port }) => {
    const client = await rawClient(port)
    client.write(post(body))
    if (early) await vi.waitFor(() => expect(came).toBe(true), 3000)
    else await client.until(/Hello|results/)
    client.leave()
    await new Promise((resolve) => setTimeout(resolve, 100))
  })
}

describe.each([true, false])('A client that leaves before the guard: %s', (early) => {
  it('has a row in the audit', async () => {
    const rows: RequestEvent[] = []
    const guard = guarded({ audit: { write: (row) => void rows.push(row) } })
    await asking(early, guard)
    expect(rows.map(({ notJudged }) => notJudged)).toEqual([early ? [{ what: 'client-left', count: 1 }] : []])
    await guard.close()
  })

  it.each([true, false])('has a parsed body judged for nobody, and no handler, with parallel %s', async (parallel) => {
    const guard = guarded({ parallel })
    let handled = 0
    const counting: Mounted = (req, res, next) => guard(req, res, () => next(void handled++))
    await asking(early, counting, { before: [json()] })
    expect([guard.guard.asked.length > 0, handled]).toEqual(early ? [false, 0] : [true, 1])
  })

  it('has no parsed input of a moderation request judged', async () => {
    const guard = guarded()
    await asking(early, guard.moderations(), { body: { input: ['a', 'b'] }, before: [json()] })
    expect(guard.guard.texts()).toEqual(early ? [] : ['a', 'b'])
  })

  it('does not keep the services of a policy that has changed', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'policy-'))
    const policy = join(folder, 'policy.json')
    writeFileSync(policy, '{"actions":{"O3":"block"}}')
    const live = createLiveServices({ guard: markerGuard(), logger: false, policy }, {}, 20)
    const retired = vi.spyOn(live.current, 'retire')
    await asking(early, (_req, res, next) => {
      live.until(res)
      next()
    })
    expect(retired).not.toHaveBeenCalled()
    writeFileSync(policy, '{"actions":{"O3":"flag"}}')
    await vi.waitFor(() => expect(retired).toHaveBeenCalledOnce(), 3000)
    await live.close()
    rmSync(folder, { recursive: true, force: true })
  })
})

// A client that sends many requests at once and leaves before its replies: each of them ends, as a request of its own
// connection would.
import { describe, expect, it, vi } from 'vitest'
import type { Guard, RequestEvent } from '../src/types.js'
import { guarded, onNode, saying, serving } from './helpers/apps.js'
import { chat } from './helpers/http.js'
import { post, rawClient } from './helpers/raw.js'

const AT_ONCE = 12

/** Answers at once, or never. */
function countingGuard(answers: boolean): Guard & { asked: number; aborted: number } {
  const guard = {
    asked: 0,
    aborted: 0,
    judge(_conversation: unknown, { signal }: { signal?: AbortSignal }) {
      guard.asked++
      if (answers) return Promise.resolve({ safe: true, categories: [] })
      return new Promise<never>((_resolve, reject) => {
        signal?.addEventListener('abort', () => {
          guard.aborted++
          reject(new Error('aborted'))
        })
      })
    },
  }
  return guard
}

async function leaving(early: boolean) {
  const guard = countingGuard(!early)
  const rows: RequestEvent[] = []
  const audit = { write: (row: RequestEvent) => void rows.push(row) }
  let closed = 0
  const middleware = guarded({ guard, audit })
  await serving(
    onNode(
      [
        (_req, res, next) => {
          res.on('close', () => closed++)
          next()
        },
        middleware,
      ],
      saying('Hello'),
    ),
    async ({ port }) => {
      const client = await rawClient(port)
      client.write(Array.from({ length: AT_ONCE }, (_, number) => post(chat(`hi ${number}`))).join(''))
      if (early) await vi.waitFor(() => expect(guard.asked).toBe(AT_ONCE), 3000)
      else await client.until(new RegExp(`(?:HTTP/1.1 200[^]*?Hello[^]*?){${AT_ONCE}}`))
      client.leave()
      await vi.waitFor(() => expect([closed, rows.length]).toEqual([AT_ONCE, AT_ONCE]), 3000)
    },
  )
  await middleware.close()
  return { guard, rows }
}

describe('Of many requests at once', () => {
  it('no check stays behind when the client leaves, and each has its row', async () => {
    const { guard, rows } = await leaving(true)
    expect(guard.aborted).toBe(AT_ONCE)
    expect(rows.map(({ notJudged }) => notJudged)).toEqual(Array(AT_ONCE).fill([{ what: 'client-left', count: 1 }]))
  })

  it('each has one row when the client waits for the replies', async () => {
    const { guard, rows } = await leaving(false)
    expect(guard.aborted).toBe(0)
    expect(rows.map(({ status, judged }) => [status, judged])).toEqual(Array(AT_ONCE).fill([200, true]))
  })
})

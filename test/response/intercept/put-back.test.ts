// Two middlewares before us, each with functions of its own, put back what they have found at any time. The one function
// that we have seen is the last of them. Nothing unjudged gets past us, and a whole reply is not lost.
import type { ServerResponse } from 'node:http'
import session from 'express-session'
import { expect, it } from 'vitest'
import type { Middleware } from '../../../src/types.js'
import { ask, guarded, onNode, serving } from '../../helpers/apps.js'
import { heard } from '../../helpers/guards.js'
import { chat, chunk } from '../../helpers/http.js'
import { crossed } from '../../helpers/sampled.js'

const NAMES = { end: ['end'], write: ['write'], both: ['write', 'end'] } as const
const WHEN = {
  'before the head': 'head',
  'after the first word': 'word',
  'while the end is judged': 'end',
  'in their first call': 'call',
} as const
const LAST_FIRST = (all: (() => void)[]): (() => void)[] => all.toReversed()
const SESSION = [session({ secret: 'x', resave: true, saveUninitialized: true }) as unknown as Middleware]
type Names = readonly ('write' | 'end')[]

/** Wraps, and puts back what it has found. */
const wrapper =
  (names: Names, when: string, backs: (() => void)[]): Middleware =>
  (_req, res, next) => {
    const found = names.map((name) => [name, res[name]] as const)
    const back = (): void => found.forEach(([name, value]) => void (res[name] = value as never))
    for (const [name, value] of found)
      res[name] = function (this: ServerResponse, ...args: unknown[]) {
        if (when === 'call') back()
        return Reflect.apply(value, this, args) as never
      } as never
    backs.push(back)
    next()
  }

const ROWS = crossed({
  names: NAMES,
  when: WHEN,
  order: {
    'the first first': (all: (() => void)[]) => all,
    'the last first': LAST_FIRST,
  },
  after: {
    nobody: [],
    'a session': SESSION,
  },
  ending: { 'write and end': false, 'one end': true },
})

const KEPT = { names: NAMES.write, when: 'head', order: LAST_FIRST, after: SESSION, ending: false, title: 'in turn' }

it.each([...ROWS, KEPT])('$title', async ({ names, when, order, after, ending }) => {
  for (const word of ['fine', 'UNSAFE']) {
    const backs: (() => void)[] = []
    const now = (phase: string): void => {
      if (phase === when) order(backs).forEach((back) => back())
    }
    const guard = guarded({ windowMs: 1 })
    const before = [wrapper(names, when, backs), wrapper(names, when, backs)]
    const got = await serving(
      onNode([...before, guard, ...after], async (_req, res) => {
        now('head')
        res.writeHead(200, { 'content-type': 'text/event-stream' })
        res.write(chunk({ content: 'so ' }))
        await heard(guard.guard, 'so')
        now('word')
        if (!ending) res.write(chunk({ content: word }))
        res.end(ending ? chunk({ content: word }) : 'data: [DONE]\n\n')
        now('end')
      }),
      ({ url }) => ask(`${url}/v1/chat/completions`, { body: chat('hi', { stream: true }) }).catch(() => undefined),
    )
    // A session reads `write` and wraps `end` alone, so that what comes next could be a wrapper of it: it breaks.
    if (got === undefined) expect([when, after, order === LAST_FIRST]).toEqual(['head', SESSION, false])
    expect(got?.text ?? '').not.toContain('UNSAFE')
    if (word === 'fine' && got !== undefined)
      expect([got.status, got.complete, got.text.includes('fine')]).toEqual([200, true, true])
  }
})

// Which fields pass unjudged, in which place of which API: every name that the dialects know, planted in every object of
// a whole request, reply and stream. test/fixtures/forms has the list. A name more there is a hole, a name less costs.
import { readdirSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import type { Dialect } from '../../src/dialects/dialect.js'
import { generic } from '../../src/dialects/generic.js'
import { BUILT_IN } from '../../src/dialects/index.js'
import { isObject } from '../../src/utils/json.js'
import { WHOLE } from './documented-replies.js'
import { MAXIMAL } from './maximal-bodies.js'
import { REPLIES } from './replies.js'
import { event, wholeStream } from './streams.js'

/** All names in the strings of the dialects' sources, and a few that are none. */
const NAMES = [
  ...new Set(
    readdirSync('src/dialects', { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts'))
      .flatMap((path) => readFileSync(`src/dialects/${path}`, 'utf8').match(/'[^'\n]*'/g)!)
      .filter((text) => !/[A-Z]\w* [a-z]+ |^'\./.test(text))
      .flatMap((text) => text.match(/\b[A-Za-z]\w+(?:\/\w+)?\b/g) ?? []),
  ),
].sort()

/** What an object is, without its numbers, by its way from the root. */
type Place = readonly [where: string, root: unknown, object: Record<string, unknown>]

/** Of objects at the same place, as of a list, the first that has its type. */
function places(root: unknown, at: string, found = new Map<string, Place>()): Place[] {
  const walk = (value: unknown, where: string): void => {
    if (Array.isArray(value)) for (const each of value) walk(each, `${where}[]`)
    if (!isObject(value)) return
    const here = typeof value['type'] === 'string' ? `${where}(${value['type']})` : where
    if (!found.has(here)) found.set(here, [here, root, value])
    for (const [key, inner] of Object.entries(value)) walk(inner, `${here}.${key}`)
  }
  walk(root, at)
  return [...found.values()]
}

/** The names whose values `read` did not give back. A name with which nothing can be read is no such. */
function unseen(object: Record<string, unknown>, read: () => string, value: (at: number) => string): string[] {
  const before = Object.entries(object)
  const tried = (names: readonly number[]): number[] => {
    for (const at of names) object[NAMES[at]!] = value(at)
    try {
      const text = read()
      return names.filter((at) => !text.includes(value(at)))
    } catch {
      if (names.length === 1) return []
    } finally {
      for (const key of Object.keys(object)) Reflect.deleteProperty(object, key)
      Object.assign(object, Object.fromEntries(before))
    }
    const half = names.length >> 1
    return [...tried(names.slice(0, half)), ...tried(names.slice(half))]
  }
  return tried([...NAMES.keys()].filter((at) => !Object.hasOwn(object, NAMES[at]!))).map((at) => NAMES[at]!)
}

const said = (texts: readonly { readonly text: string }[]): string => texts.map(({ text }) => text).join('\n')
const prose = (at: number): string => `zorb ${at} zorb`
const short = (at: number): string => `zorb${at}zorb`

function unjudged(dialect: Dialect): Record<string, string> {
  const found: Record<string, string[]> = {}
  const note = (list: Place[], read: (root: any) => string, values: Record<string, (at: number) => string>): void => {
    for (const [where, root, object] of list)
      for (const [kind, value] of Object.entries(values)) {
        const list = unseen(object, () => read(root), value)
        const names = list.length > NAMES.length / 2 ? 'any' : list.join(' ')
        if (names !== '') (found[names] ??= []).push(`${where}: ${kind}`)
      }
  }
  const asked = new Map<string, Place>()
  for (const [of, { body }] of Object.entries(MAXIMAL))
    if (of.split(',')[0] === dialect.name) places(structuredClone(body), 'request', asked)
  note([...asked.values()], (body) => JSON.stringify(dialect.request(body)), { short })
  const answers = new Map<string, Place>()
  for (const [, of, body] of WHOLE) if (of === dialect) places(structuredClone(body), 'reply', answers)
  places(REPLIES[dialect.name]?.('Hello.') ?? {}, 'reply', answers)
  note([...answers.values()], (body) => said(dialect.reply(body)!), { prose, short })
  const events = new Map<string, Place>()
  for (const { data = '', part } of wholeStream(dialect.name))
    if (part === undefined && data.startsWith('{')) places(JSON.parse(data), 'event', events)
  note([...events.values()], (data) => said(dialect.stream().read(event(data))), { prose, short })
  return Object.fromEntries(Object.entries(found).map(([names, where]) => [where.join(', '), names]))
}

it.each([...BUILT_IN, generic].map((dialect) => ({ name: dialect.name, dialect })))(
  'The fields of $name that pass unjudged are those of its file.',
  async ({ name, dialect }) => {
    const file = `../fixtures/forms/${name}.unjudged.json`
    await expect(`${JSON.stringify(unjudged(dialect), null, 1)}\n`).toMatchFileSnapshot(file)
  },
)

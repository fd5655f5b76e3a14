// Knows the dialects in use, and chooses the dialect of a path and a body. The options `text` and `reply` make one.
import { customDialect } from '../dialects/custom.js'
import type { Dialect } from '../dialects/dialect.js'
import { BUILT_IN } from '../dialects/index.js'
import { openaiChat } from '../dialects/openai-chat.js'
import { LlamaGuardError } from '../types/errors.js'
import { isObject } from '../utils/json.js'
import { pathEnding, type Paths } from './url.js'

type Body = Readonly<Record<string, unknown>>

export interface DialectsInUse {
  /** The dialect with the longest path that matches. */
  byPath(paths: Paths): Dialect | undefined
  /** The dialect whose request without a body has this path, or these headers. */
  bodiless(paths: Paths, headers: Readonly<Record<string, unknown>>): Dialect | undefined
  /** The dialect of a body on the path of `known`; undefined when nothing in it says so. */
  claimant(known: Dialect | undefined, body: Body): Dialect | undefined
  /** The dialect of a body in which a chat has been found. */
  ofChat(known: Dialect | undefined, chat: Body): Dialect
  /** The dialect of a body that is a list of requests. */
  ofBatch(list: readonly unknown[]): Dialect | undefined
}

/** @throws LlamaGuardError `invalid_option` for a name that is not built in. */
export function dialectsInUse(wanted?: readonly (string | Dialect)[], own: readonly Dialect[] = []): DialectsInUse {
  const list = claimOrder([...own, ...(wanted?.map(resolve) ?? BUILT_IN)])
  // Whom the operator names may claim a body on any path; of the others, those with fields of their own.
  const claiming = list.filter((dialect) => wanted !== undefined || isOwn(dialect) || dialect.distinct === true)
  const byPath = pathFinder(list, ({ paths }) => paths)
  const claimant = (known: Dialect | undefined, body: Body): Dialect | undefined => {
    if (known !== undefined && isOwn(known)) return known
    // A field `messages` alone says nothing: many services have one.
    const claimed = claiming.find(
      (dialect) => (dialect.distinct === true || isOwn(dialect) || !('messages' in body)) && dialect.claims(body),
    )
    if (known?.claims(body) !== true) return claimed
    // Many apps name a route as an API does, and send it what their own client library makes.
    return claimed?.distinct === true && known.distinct !== true ? claimed : known
  }
  return {
    byPath,
    bodiless: (paths, headers) =>
      list.find(({ bodiless }) => bodiless !== undefined && paths.some((path) => bodiless.test(path))) ??
      claiming.find((dialect) => dialect.opens?.(headers) === true),
    claimant,
    ofChat: (known, chat) => claimant(known, chat) ?? claiming.find((dialect) => dialect.claims(chat)) ?? openaiChat,
    ofBatch: (items) =>
      claiming.find(
        (dialect) => dialect.batches === true && items.some((item) => isObject(item) && dialect.claims(item)),
      ),
  }
}

/** Finds the dialect with the longest of these endings that matches. */
function pathFinder(
  list: readonly Dialect[],
  pathsOf: (dialect: Dialect) => readonly string[],
): (paths: Paths) => Dialect | undefined {
  const endings = list
    .flatMap((dialect) => pathsOf(dialect).map((path) => ({ dialect, path })))
    .sort((a, b) => b.path.length - a.path.length)
    .map(({ dialect, path }) => ({ dialect, ends: pathEnding(path) }))
  return (paths) => endings.find(({ ends }) => paths.some(ends))?.dialect
}

function resolve(dialect: string | Dialect): Dialect {
  if (typeof dialect !== 'string') return dialect
  const found = BUILT_IN.find(({ name }) => name === dialect)
  if (found === undefined) {
    throw new LlamaGuardError(
      'invalid_option',
      `There is no dialect ${JSON.stringify(dialect)}; built in are ${BUILT_IN.map(({ name }) => name).join(', ')}.`,
    )
  }
  return found
}

function isOwn(dialect: Dialect): boolean {
  return !BUILT_IN.includes(dialect)
}

/** Custom dialects come first, then those with fields of their own, because many bodies look like Chat Completions. */
function claimOrder(list: readonly Dialect[]): readonly Dialect[] {
  const rank = (dialect: Dialect): number =>
    isOwn(dialect) ? 0 : dialect.distinct === true ? 1 : dialect === openaiChat ? 2 : 3
  return [...list].sort((a, b) => rank(a) - rank(b))
}

/** A dialect whose requests have the user's words at `text`, and whose replies have the model's words at `reply`. */
export function shorthandDialect(text: string, reply: string | undefined): Dialect {
  return customDialect({
    name: 'text',
    claims: (body) => valueAt(body, text) !== undefined,
    request: (body) => ({ turns: [{ role: 'user', text: wordsAt(body, text) ?? '' }] }),
    ...(reply !== undefined && {
      reply: (body) => wordsAt(body, reply),
      delta: (data) => wordsAt(data, reply),
    }),
    decline: ({ words }) => (reply === undefined ? { text: words } : nested(reply, words)),
  })
}

/** A value of another kind is judged with the rest of the body. */
function wordsAt(value: unknown, path: string): string | undefined {
  const found = valueAt(value, path)
  return typeof found === 'string' ? found : undefined
}

/** The value at a path of keys; null is none. */
function valueAt(value: unknown, path: string): unknown {
  let found = value
  for (const key of path.split('.')) {
    if (!(isObject(found) || Array.isArray(found)) || !Object.hasOwn(found, key)) return undefined
    found = (found as Record<string, unknown>)[key]
  }
  return found ?? undefined
}

/** An object with these words at the path. */
function nested(path: string, words: string): unknown {
  return path.split('.').reduceRight<unknown>((inner, key) => ({ [key]: inner }), words)
}

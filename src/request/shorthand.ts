// Makes a dialect from the options `text` and `reply`, which are two paths of keys.
import { customDialect } from '../dialects/custom.js'
import type { Dialect } from '../dialects/dialect.js'
import { isObject } from '../utils/json.js'

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

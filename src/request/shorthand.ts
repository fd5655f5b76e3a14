// Makes a dialect from the options `text` and `reply`, which are two paths of keys.
import { customDialect } from '../dialects/custom.js'
import type { Dialect } from '../dialects/dialect.js'
import { isObject } from '../utils/json.js'

/** A dialect whose requests have the user's words at `text`, and whose replies have the model's words at `reply`. */
export function shorthandDialect(text: string, reply: string | undefined): Dialect {
  const wordsOf = (body: unknown): string | undefined => textAt(body, text)
  return customDialect({
    name: 'text',
    claims: (body) => wordsOf(body) !== undefined,
    request: (body) => ({ turns: [{ role: 'user', text: wordsOf(body) ?? '' }] }),
    ...(reply !== undefined && {
      reply: (body) => textAt(body, reply),
      delta: (data) => textAt(data, reply),
    }),
    decline: ({ words }) => (reply === undefined ? { text: words } : nested(reply, words)),
  })
}

function textAt(value: unknown, path: string): string | undefined {
  let found = value
  for (const key of path.split('.')) {
    if (!(isObject(found) || Array.isArray(found)) || !Object.hasOwn(found, key)) return undefined
    found = (found as Record<string, unknown>)[key]
  }
  return typeof found === 'string' ? found : undefined
}

/** An object with these words at the path. */
function nested(path: string, words: string): unknown {
  return path.split('.').reduceRight<unknown>((inner, key) => ({ [key]: inner }), words)
}

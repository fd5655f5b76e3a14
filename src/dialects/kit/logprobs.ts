// Reads the tokens of a `logprobs` object column by column: the chosen tokens, then the likeliest ones, and so on.
// The chosen column is the content over again and is judged only where it is not.
import { Buffer } from 'node:buffer'
import { isObject } from '../../utils/json.js'

export interface Columns {
  /** Joined tokens by channel name. */
  readonly texts: ReadonlyMap<string, string>
  /** The object without those tokens, for the walker. */
  readonly rest: unknown
}

/**
 * Accepts the form of Chat Completions (`content: [{token, top_logprobs}]`) and the legacy form (`tokens`,
 * `top_logprobs`).
 */
export function tokenColumns(logprobs: unknown): Columns {
  const texts = new Map<string, string>()
  if (!isObject(logprobs)) return { texts, rest: logprobs }
  const add = (channel: string, token: string): void => void texts.set(channel, (texts.get(channel) ?? '') + token)
  const rest: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(logprobs)) {
    rest[key] = Array.isArray(value)
      ? value.map((entry: unknown) =>
          key === 'tokens' || key === 'top_logprobs' ? legacy(key, entry, add) : withoutToken(key, entry, add),
        )
      : value
  }
  return { texts, rest }
}

type Add = (channel: string, token: string) => void

/** An alternative has no alternatives of its own. If one does, the walker reads them like any other value. */
function withoutToken(channel: string, entry: unknown, add: Add, alternatives = true): unknown {
  if (!isObject(entry) || typeof entry.token !== 'string') return entry
  const { token, ...rest } = entry
  add(channel, token)
  const bytes = lettersOf(rest.bytes)
  if (bytes !== '' && bytes !== token) add(`${channel}.bytes`, bytes)
  if (bytes === token) delete rest.bytes
  if (!alternatives || !Array.isArray(rest.top_logprobs)) return rest
  return {
    ...rest,
    top_logprobs: rest.top_logprobs.map((other: unknown, rank) =>
      withoutToken(`${channel}.top.${rank}`, other, add, false),
    ),
  }
}

/** A token in bytes. `''` where there are none, or no letters of English among them, as in a part of a character. */
function lettersOf(bytes: unknown): string {
  if (!Array.isArray(bytes) || !bytes.every((byte) => Number.isInteger(byte) && byte >= 0 && byte < 256)) return ''
  const text = Buffer.from(bytes).toString()
  return /[a-z]/i.test(text) ? text : ''
}

function legacy(channel: string, entry: unknown, add: Add): unknown {
  if (typeof entry === 'string') {
    add(channel, entry)
    return undefined
  }
  if (!isObject(entry)) return entry
  const values: unknown[] = []
  for (const [rank, [token, value]] of Object.entries(entry).entries()) {
    add(`${channel}.${rank}`, token)
    values.push(value)
  }
  return values
}

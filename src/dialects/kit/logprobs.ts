// Reads the tokens of a `logprobs` object column by column: the chosen tokens, then the likeliest ones, and so on.
import { Buffer } from 'node:buffer'
import { isObject } from '../../utils/json.js'

/** The end of the name of a column that holds its tokens in bytes. */
export const BYTES = '.bytes'

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
  const bytes = new Map<string, Uint8Array[]>()
  const columns: Add = {
    token: (channel, token) => void texts.set(channel, (texts.get(channel) ?? '') + token),
    bytes(channel, piece) {
      const pieces = bytes.get(channel)
      if (pieces === undefined) bytes.set(channel, [piece])
      else pieces.push(piece)
    },
  }
  const rest = Object.fromEntries(
    Object.entries(logprobs).map(([key, value]): [string, unknown] => [
      key,
      Array.isArray(value)
        ? value.map((entry: unknown) =>
            key === 'tokens' || key === 'top_logprobs'
              ? legacy(key, entry, columns)
              : withoutToken(key, entry, columns),
          )
        : value,
    ]),
  )
  for (const [channel, pieces] of bytes) {
    const text = Buffer.concat(pieces).toString()
    // Bytes of a part of a character hold no letter.
    if (LETTER.test(text)) texts.set(channel + BYTES, text)
  }
  return { texts, rest }
}

interface Add {
  token(channel: string, token: string): void
  /** The token in bytes, which clients join before they decode them. */
  bytes(channel: string, piece: Uint8Array): void
}

const LETTER = /\p{L}/u

/** An alternative has no alternatives of its own. If one does, the walker reads them like any other value. */
function withoutToken(channel: string, entry: unknown, columns: Add, alternatives = true): unknown {
  if (!isObject(entry) || typeof entry.token !== 'string') return entry
  const { token, ...rest } = entry
  columns.token(channel, token)
  columns.bytes(channel, isBytes(rest.bytes) ? Buffer.from(rest.bytes) : Buffer.from(token))
  if (isBytes(rest.bytes)) delete rest.bytes
  if (!alternatives || !Array.isArray(rest.top_logprobs)) return rest
  return {
    ...rest,
    top_logprobs: rest.top_logprobs.map((other: unknown, rank) =>
      withoutToken(`${channel}.top.${rank}`, other, columns, false),
    ),
  }
}

function isBytes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((byte) => Number.isInteger(byte) && byte >= 0 && byte < 256)
}

function legacy(channel: string, entry: unknown, { token: add }: Add): unknown {
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

// Reads the input of `check`: a text, a JSON conversation, or a line of either. Each becomes the request that a chat
// client would send.
import { LlamaGuardError } from '../../errors.js'

export interface Item {
  /** The caller's own id, or the line number. */
  readonly id: string
  /** A Chat Completions body. */
  readonly body: Readonly<Record<string, unknown>>
}

/** A plain text is one user message. */
export function textItem(text: string, id: string): Item {
  return { id, body: { messages: [{ role: 'user', content: text }] } }
}

/** What begins so was meant as JSON, and is an error where it is cut. */
const JSON_BEGIN = /^\s*(?:\{\s*"|\[\s*[{"]|")/

/** A line is a JSON conversation or string. Every other line is a text as it stands: it is judged, never skipped. */
export const lineItem = (line: string, id: string): Item =>
  JSON_BEGIN.test(line) ? jsonItem(line, id) : textItem(line, id)

/**
 * A string, a list of messages, `{messages}`, `{prompt, response}`, `{text}` or `{input, output}`. `id` names the
 * item.
 * @throws LlamaGuardError `unreadable_request` for a line that cannot be read, because it must not count as safe.
 */
export function jsonItem(json: string, id: string): Item {
  const value = parse(json, id)
  if (typeof value === 'string') return textItem(value, id)
  if (Array.isArray(value)) return { id, body: { messages: value } }
  if (typeof value === 'object' && value !== null) {
    const {
      id: own,
      messages,
      text,
      prompt = text,
      input = prompt,
      response,
      output = response,
    } = value as Record<string, unknown>
    const name = typeof own === 'string' || typeof own === 'number' ? String(own) : id
    if (Array.isArray(messages)) return { id: name, body: value as Record<string, unknown> }
    if (typeof input === 'string')
      return {
        id: name,
        body: {
          messages: [
            { role: 'user', content: input },
            ...(typeof output === 'string' ? [{ role: 'assistant', content: output }] : []),
          ],
        },
      }
  }
  throw new LlamaGuardError(
    'unreadable_request',
    `${id} is no conversation. Give a string, a list of messages, {"messages": [...]}, {"text": ` +
      '"..."} or {"prompt": "...", "response": "..."}.',
  )
}

/** Longer than any model reads. An input without line ends must not fill the memory. */
const MAX_LINE_CHARS = 16 * 2 ** 20

/** The lines of a stream. Empty lines are left out, but they count in the line numbers. */
export async function* linesOf(
  stream: AsyncIterable<string | Uint8Array>,
): AsyncGenerator<{ text: string; number: number }> {
  const decoder = new TextDecoder()
  let rest = ''
  let number = 0
  for await (const chunk of stream) {
    rest += typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true })
    const lines = rest.split('\n')
    rest = lines.pop() ?? ''
    if (rest.length > MAX_LINE_CHARS)
      throw new LlamaGuardError(
        'body_too_large',
        `Line ${number + lines.length + 1} is longer than ${MAX_LINE_CHARS} characters. Give one conversation a line.`,
      )
    for (const text of lines) {
      number += 1
      if (text.trim() !== '') yield { text, number }
    }
  }
  rest += decoder.decode()
  if (rest.trim() !== '') yield { text: rest, number: number + 1 }
}

function parse(json: string, id: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    throw new LlamaGuardError('unreadable_request', `${id} is not JSON.`)
  }
}

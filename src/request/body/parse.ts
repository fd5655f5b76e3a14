// Reads the bytes of a body as its content-type says. What parsers would read in different ways has a fault: the error
// of this request if it turns out to be one that is judged.
import { Buffer, isUtf8 } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import { LlamaGuardError, unreadableRequest } from '../../types/errors.js'
import { type ReadJson, readJson, readLines, trimmed, withPlainNumbers } from '../../wire/json.js'

/** The content of a body. */
export type ReadBody =
  | { readonly kind: 'none' }
  /** A body was announced, and another middleware has read it without leaving it on the request. */
  | { readonly kind: 'unseen' }
  | Read
  /** A body that can be no chat, where not every body is judged. It was not read. */
  | { readonly kind: 'unread' }

export interface Read {
  readonly kind: 'read'
  /** `other`: bytes that are no text. */
  readonly format: 'json' | 'lines' | 'form' | 'text' | 'other'
  /** A parsed value, the fields of a form, or a text. A list of values where parsers may read the one or the other. */
  readonly value: unknown
  readonly fault?: LlamaGuardError | undefined
  /** Beside a fault: true when another parser may find a chat in the bytes. */
  readonly mayBeChat?: boolean
  /** True for JSON that parsers read and we do not: it names a key twice, or costs too much. That is its fault. */
  readonly unclear?: boolean
  /** JSON under a type of text, as it came. */
  readonly text?: string
  /** True for JSON that came as JSON, which a handler may find on `req.body`. */
  readonly parsed?: boolean
  /** The text of JSON with numbers of so many digits that the value may have others. */
  readonly exact?: string | undefined
}

export const NO_BODY: ReadBody = { kind: 'none' }

/**
 * `found` is the fault that the decoder found.
 * @throws LlamaGuardError `unsupported_media_type` for a Unicode charset that only some parsers know.
 */
export function parseBody(bytes: Uint8Array, { charset, kind, parts, fault }: MediaType, found = fault): ReadBody {
  const faulty = (read: Read, fault: LlamaGuardError): Read => ({
    ...read,
    fault,
    mayBeChat: looksLikeChat(bytes, {
      names: read.unclear || (isBroken(read) && bytes.includes(0)) ? CLAIMED : MESSAGES,
      wide: read.format === 'other',
    }),
  })
  // What other decoders find behind the end of an empty body is no empty body.
  const empty = found === undefined ? NO_BODY : faulty({ kind: 'read', format: 'text', value: '' }, found)
  if (bytes.length === 0) return empty
  const utf8 = new TextDecoder().decode(bytes)
  const named = charset === 'utf-8' ? utf8 : decodedText(bytes, charset)
  if (named === undefined && /^(?:utf|ucs|unicode)/i.test(charset)) throw otherCharset()
  const text = named ?? utf8
  // A charset in which the bytes say the same as in UTF-8 leaves no choice. It is also that of a form's escapes.
  const escaped = kind === 'form' && !/^utf-?8$/.test(charset) && /%(?:[89a-f]|1b)/i.test(text)
  const recoded = parts === true && namesCoding(utf8, utf8.length === bytes.length)
  const wrong = found ?? (named === utf8 && !escaped && !recoded ? undefined : otherCharset())
  const isText = !text.includes('\0') && (named !== utf8 || isUtf8(bytes))
  if (!isText && kind === 'other') {
    const lenient = parseText(utf8, kind)
    const value = lenient.kind === 'read' ? lenient.value : undefined
    return faulty({ kind: 'read', format: 'other', value }, wrong ?? notText())
  }
  const asNamed = parseText(text, kind)
  const isValue = asNamed.kind === 'read' && kind !== 'form' && typeof asNamed.value !== 'string'
  // Many handlers read UTF-8, whatever the charset says.
  const read = named === utf8 || isValue ? asNamed : parseText(utf8, kind)
  if (read.kind !== 'read') return empty
  const first = wrong ?? read.fault
  if (first !== undefined) return faulty(read, first)
  return isText ? read : { ...read, fault: notUtf8() }
}

const MESSAGES = /"(?:role|author|messages)\\*"\s*:|\\u00[4-7]/i
/** Those, and every field by which an API of ours claims a body. */
const CLAIMED =
  /"(?:role|author|messages?|contents?|parts|prompt|promptVariables|inputs?|inputText|items|chat_history|assistant_id|command|threadId|jsonrpc|method)\\*"\s*:|\\u00[4-7]/i

const isBroken = ({ format, value }: Read): boolean => format === 'json' && typeof value === 'string'

/** True for a text that begins as JSON with the fields of an API. Parsers in Go read the first value of a text. */
export function beginsAsChat(value: unknown): boolean {
  return (
    typeof value === 'string' && /^[\s\0\uFEFF\uFFFD]*[[{"]/.test(value) && CLAIMED.test(value.replaceAll('\0', ''))
  )
}

/** What is in no text of UTF-16 or UTF-32: a character of ASCII without a NUL beside it. */
const NARROW = /(?<!\0)[^\0](?!\0)/g

/**
 * True for bytes with the names of a chat's fields, plain or escaped, in UTF-8, UTF-16 or a charset that has ASCII.
 * `wide`: in UTF-16 or UTF-32 alone, because binary data hold texts of others.
 */
export function looksLikeChat(bytes: Uint8Array, { names = MESSAGES, wide = false } = {}): boolean {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
  if (!text.includes('\0')) return !wide && names.test(text)
  return names.test((wide ? text.replace(NARROW, '') : text).replaceAll('\0', ''))
}

/** Undefined for a charset that nobody here knows. */
function decodedText(bytes: Uint8Array, charset: string): string | undefined {
  try {
    return new TextDecoder(/^(?:us-)?ascii$/i.test(charset) ? 'utf-8' : charset).decode(bytes)
  } catch {
    return undefined
  }
}

const CODED_PART = /^content-transfer-encoding\s*:(?!\s*(?:binary|[78]bit)\b)/im
const OF_ASCII = /^(?:(?:us-)?ascii|latin1|iso-8859-\d+|windows-125\d)$/

/** True for an upload with a part that only some parsers decode: by its own charset or transfer encoding. */
function namesCoding(upload: string, isAscii: boolean): boolean {
  return upload.split('\r\n\r\n').some((piece) => {
    // A head begins with the line of a boundary. Some parsers read its lines where a line feed stands alone.
    const start = `\r\n${piece}`.indexOf('\r\n--')
    const head = start === -1 ? '' : piece.slice(start)
    const isOther = (name: string): boolean => !/^utf-?8$/.test(name) && !(isAscii && OF_ASCII.test(name))
    return CODED_PART.test(head) || charsetsIn(head).some(isOther)
  })
}

function otherCharset(): LlamaGuardError {
  return unsupported('The body or a part of it is in a charset other than UTF-8 or encoded as text; send UTF-8')
}

function notText(): LlamaGuardError {
  return unsupported('The body is neither JSON nor a form nor text in UTF-8, so its words cannot be judged')
}

function notUtf8(): LlamaGuardError {
  return new LlamaGuardError('invalid_json', 'The body is not valid UTF-8; send JSON in UTF-8.')
}

const MANY_DIGITS = /\d{16}/

function parseText(text: string, kind: MediaType['kind']): ReadBody {
  if (kind === 'form') return { kind: 'read', format: 'form', value: formValue(text) }
  const json = trimmed(text)
  if (text.trim() === '') return NO_BODY
  const asText: Read = { kind: 'read', format: 'text', value: text }
  // A quote begins a text more often than JSON.
  if (kind !== 'json' && !/^(?:[[{]|"[\s\\{["])/.test(json)) return asText
  const plain = tryJson(json)
  // Python's parser reads numbers that JSON has not.
  const numbers = plain === undefined ? withPlainNumbers(json) : undefined
  const parsed = numbers === undefined ? plain : tryJson(numbers)
  if (parsed instanceof LlamaGuardError) return { ...asText, format: 'json', fault: parsed, unclear: true }
  if (parsed !== undefined) {
    const strict = kind !== 'json' || (plain !== undefined && (json === text || tryJson(text) !== undefined))
    const fault = parsed.repeats ? repeated() : strict ? undefined : invalidJson()
    return {
      kind: 'read',
      format: 'json',
      value: parsed.value,
      parsed: plain !== undefined,
      ...(kind === 'other' && { text }),
      ...(plain !== undefined && MANY_DIGITS.test(json) && { exact: json }),
      fault,
      unclear: parsed.repeats,
    }
  }
  if (kind === 'json') return { ...asText, format: 'json', fault: invalidJson() }
  const lines = tryJson(numbers ?? json, readLines)
  if (lines === undefined || lines instanceof LlamaGuardError) return asText
  const { value, repeats } = lines
  return { kind: 'read', format: 'lines', value, text, unclear: repeats, fault: repeats ? repeated() : undefined }
}

function tryJson(text: string, read = readJson): ReadJson | LlamaGuardError | undefined {
  try {
    return read(text)
  } catch (error) {
    return error as LlamaGuardError
  }
}

function repeated(): LlamaGuardError {
  return unreadableRequest(
    'The body names a key twice in one object, which parsers read differently; send each key once.',
  )
}

function invalidJson(): LlamaGuardError {
  return new LlamaGuardError('invalid_json', 'The body is not valid JSON; send one JSON object.')
}

interface MediaType {
  /** `other`: any other type, or none. An upload in parts is a text like others. */
  readonly kind: 'json' | 'form' | 'other'
  readonly charset: string
  /** True for an upload in parts. */
  readonly parts?: boolean
  /** Two types, or two charsets: parsers disagree on which one counts. */
  readonly fault?: LlamaGuardError
}

const CHARSET = /;\s*charset\s*=\s*"?([^\s";]*)/gi

function charsetsIn(head: string): string[] {
  return [...head.replaceAll('\\', '').matchAll(CHARSET)].map(([, name = '']) => name.toLowerCase())
}

export function mediaTypeOf({
  headers,
  rawHeaders = [],
}: Pick<IncomingMessage, 'headers'> & { readonly rawHeaders?: readonly string[] }): MediaType {
  const type = headers['content-type'] ?? ''
  const charsets = charsetsIn(type)
  const named = rawHeaders.filter((name, at) => at % 2 === 0 && name.toLowerCase() === 'content-type').length
  const several = named > 1 || type.replace(/"[^"]*"/g, '').includes(',') || new Set(charsets).size > 1
  return {
    kind: kindOf(type),
    charset: charsets[0] || 'utf-8',
    parts: /^\s*multipart\//i.test(type),
    ...(several && { fault: unsupported('The request names two content-types or charsets; name one') }),
  }
}

function kindOf(type: string): MediaType['kind'] {
  if (/^\s*(?:application|text)\/(?:[\w.+-]*\+)?json\s*(?:;|,|$)/i.test(type)) return 'json'
  return /^\s*application\/x-www-form-urlencoded\b/i.test(type) ? 'form' : 'other'
}

export function unsupported(what: string): LlamaGuardError {
  return new LlamaGuardError('unsupported_media_type', `${what}.`)
}

/** The fields, and the value of the form as JSON where it is that too. */
function formValue(text: string): unknown {
  const fields = formFields(text)
  const json = /^\s*[[{"]/.test(text) ? readJson(text.trim()) : undefined
  return json === undefined ? fields : [json.value, fields]
}

/** All values of each field, so that a field that is named twice has both. */
function formFields(form: string): Record<string, unknown> {
  const fields: Record<string, unknown> = Object.create(null) as Record<string, unknown>
  for (const [name, text] of new URLSearchParams(form)) {
    const known = fields[name]
    if (Array.isArray(known)) known.push(text)
    else fields[name] = known === undefined ? text : [known, text]
  }
  return fields
}

/** True for the names of a form's fields that spell messages, in a notation for nesting: `messages[0][role]`. */
export function spellsChat(names: readonly string[]): boolean {
  const last = (name: string): string =>
    name
      .toLowerCase()
      .split(/[[\].]/)
      .findLast((part) => part !== '') ?? ''
  const nested = names.filter((name) => /[[.]/.test(name)).map(last)
  return (
    nested.some((name) => name === 'role' || name === 'author') &&
    nested.some((name) => /^(?:content|parts|text)$/.test(name))
  )
}

/** The length of `[{"role":"","text":""}]` without its brackets. A shorter text holds no chat. */
const SHORTEST_CHAT = 21

/** Parses a text that is JSON and may hold a chat; JSON inside a JSON string too. Undefined for any other text. */
export function jsonIn(text: string): unknown {
  if (text.length < SHORTEST_CHAT) return undefined
  const json = text.trim()
  if (!/^(?:\{\s*"|\[\s*[[{"]|"[\s\\{["])/.test(json) || !/["\]}]$/.test(json.slice(-1))) return undefined
  try {
    const value = readJson(json)?.value
    return typeof value === 'string' ? jsonIn(value) : value
  } catch {
    return undefined
  }
}

// Finds the calls of tools that a reply asks for, and when a call that comes in pieces is complete. One file for all
// APIs, because a reply need not be in the API that was asked, and no two of them write a call in the same place.
import { type LlamaGuardError, unreadableResponse } from '../types/errors.js'
import type { ToolCall } from '../types.js'
import { isObject, textOf } from '../utils/json.js'
import { parseLoosely } from '../wire/json.js'
import type { StreamEvent } from './dialect.js'
import { itemIndex } from './kit/reply-fields.js'

export type FoundCall = Omit<ToolCall, 'stage'>

/** Fields that hold a call or a list of them. */
const HOLDERS = new Set(
  `tool_calls tool_call_chunks invalid_tool_calls toolCalls toolCall toolInvocation toolInvocations function_call
  functionCall toolUse executableCode`.split(/\s+/),
)
/** Types of objects that are calls. Those with a dash are the AI SDK's, with an input, those with a dot Mistral's. */
const CALL = /^(?:\w+_call|mcp_approval_request|(?:\w+_)?tool_use|tool-.+|dynamic-tool|function\.call|tool\.execution)$/
/** Types of events that are pieces of a call without an end of its own: AG-UI's and Mistral's. */
const CHUNK = /^(?:TOOL_CALL_CHUNK|function\.call\.delta|tool\.execution\.(?:started|delta))$/
/** Events of AG-UI that end no call of chunks (`transformChunks` of its client 1.0). */
const BETWEEN = /^(?:RAW|ACTIVITY_SNAPSHOT|ACTIVITY_DELTA|REASONING_ENCRYPTED_VALUE|SUBAGENT_STARTED)$/
const IDS = ['call_id', 'id', 'toolCallId', 'toolUseId']
const NAMES = ['name', 'toolName', 'toolCallName', 'toolType']
const ARGUMENTS = ['arguments', 'input', 'args', 'parameters']
const BESIDE = new Set([...IDS, ...NAMES, 'type', 'index', 'status', 'state'])
/** Tools that a reply repeats from its request. */
const DEFINITIONS = new Set(['tools', 'tool_choice'])
/** Every event that begins a call has one of these words. */
const HINT = /tool|call|executableCode/i

/** How APIs stream a call: the events that begin, grow and end it, its key, the call itself, a piece of its text. */
const STEPS = `content_block_start content_block_delta content_block_stop index content_block delta.partial_json
contentBlockStart contentBlockDelta contentBlockStop contentBlockIndex start.toolUse delta.toolUse.input
response.output_item.added response.function_call_arguments.delta response.output_item.done output_index item delta
tool-call-start tool-call-delta tool-call-end index delta.message.tool_calls delta.message.tool_calls.function.arguments
tool-input-start tool-input-delta tool-input-available toolCallId . inputTextDelta
b c 9 toolCallId . argsTextDelta
TOOL_CALL_START TOOL_CALL_ARGS TOOL_CALL_END toolCallId . delta
step.start step.delta step.stop index step delta.arguments
content.start content.delta content.stop index content delta.arguments`
  .split('\n')
  .map(
    (line) => line.split(' ') as [begins: string, grows: string, ends: string, key: string, call: string, text: string],
  )

const MOST_CALLS = 1024

interface Piece {
  readonly id?: string
  readonly name?: string
  /** Undefined for a piece without arguments. */
  readonly given?: unknown
  /** What a call of the vendor's own tools has for a name and for arguments. */
  readonly kind?: string
  readonly rest?: object
}

interface Open {
  readonly id: string
  readonly kind: string
  name: string
  text: string
}

/** Reads one reply. `found` is told of each call once it is complete. */
export class ToolCalls {
  readonly #found: (call: FoundCall) => void
  readonly #open = new Map<string, Open>()
  /** Calls with an id, which an API may say again as a whole. */
  readonly #known = new Set<string>()
  #count = 0
  #touched = false
  /** The key of the open call of chunks in each lane. Their clients put a call together lane by lane. */
  readonly #chunks = new Map<string, string>()
  /** The keys of the calls of chunks that have ended. */
  readonly #ended = new Set<string>()
  /** True in an event that says again all that there is of a call. */
  #again = false

  constructor(found: (call: FoundCall) => void) {
    this.#found = found
  }

  /** True while the end of a call has not come. */
  get isOpen(): boolean {
    return this.#open.size > 0
  }

  /** True for an event in which a call begins, or is whole. */
  read(event: StreamEvent): boolean {
    const { data = '', plain } = event
    if (plain === true || (this.#open.size === 0 && !HINT.test(data))) return false
    const value = parseLoosely(data)?.value
    return this.value(typeof value === 'string' ? parseLoosely(value)?.value : value, event)
  }

  /** The same for a JSON value: an event, a whole reply, or a list of events. */
  value(value: unknown, event: StreamEvent = {}): boolean {
    this.#touched = false
    this.#again = event.event?.startsWith('messages/partial') === true
    const list: readonly unknown[] = Array.isArray(value) && !this.#again ? value : [value]
    for (const each of list) this.#event(each, event)
    return this.#touched
  }

  /** The reply has ended: what is open is complete. */
  end(): void {
    this.#close('')
  }

  #event(value: unknown, { part }: StreamEvent): void {
    if (!isObject(value)) return this.#walk(value, '', '', false)
    const bedrock = Object.keys(value).find((name) => name.startsWith('contentBlock') && isObject(value[name]))
    const type = bedrock ?? part ?? textOf(value.type ?? value.event_type)
    if (CHUNK.test(type)) return this.#readChunk(value, type === 'TOOL_CALL_CHUNK')
    if (!BETWEEN.test(type)) this.#closeLane(laneOf(value))
    if (this.#step(type, bedrock === undefined ? value : value[bedrock])) return
    this.#walk(value, '', '', false)
    const choices: readonly unknown[] = Array.isArray(value.choices) ? value.choices : []
    for (const [position, choice] of choices.entries())
      if (isObject(choice) && textOf(choice.finish_reason) !== '')
        this.#close(`.choices.${itemIndex(choice, position)}.`)
  }

  /** False for an event that is of no call. */
  #step(type: string, body: unknown): boolean {
    const steps = STEPS.find((each) => each.indexOf(type) >= 0 && each.indexOf(type) < 3)
    if (steps === undefined) return false
    const [begins, grows, ends, id, call, text] = steps
    const key = `${begins} ${JSON.stringify(at(body, id))}`
    const piece = pieceOf(call === '.' ? 'toolCalls' : call.slice(call.lastIndexOf('.') + 1), at(body, call))
    const more = at(body, text)
    if (type === begins && piece !== undefined) this.#grow(key, piece)
    // Gemini's deltas may name their call once more, or alone.
    else if (type === grows && (typeof more === 'string' || isObject(more)))
      this.#grow(key, { ...pieceOf('', at(body, 'delta')), given: more })
    else if (type === ends && piece !== undefined && (piece.name !== undefined || call !== '.')) this.#whole(piece, key)
    else if (type === ends) this.#close(key)
    else return false
    return true
  }

  /** A chunk of AG-UI without an id goes on with the one before. Mistral's client goes by the index of the output. */
  #readChunk(chunk: Readonly<Record<string, unknown>>, byId: boolean): void {
    const { toolCallId, toolCallName, delta, id = toolCallId, name = toolCallName, output_index: place } = chunk
    const lane = laneOf(chunk)
    const mark = byId ? (id ?? undefined) : (place ?? id)
    const before = this.#chunks.get(lane)
    const key = mark === undefined && before !== undefined ? before : `chunk ${JSON.stringify([mark])}`
    if (key !== before) this.#closeLane(lane)
    if (this.#ended.has(key)) throw unreadable('goes on with a call of a tool that had ended')
    this.#chunks.set(lane, key)
    const given = chunk['arguments'] ?? delta ?? undefined
    this.#grow(key, this.#open.has(key) ? { given } : { id: textOf(id), name: textOf(name), given })
  }

  #closeLane(lane: string): void {
    const key = this.#chunks.get(lane)
    if (key === undefined) return
    this.#chunks.delete(lane)
    this.#ended.add(key)
    this.#close(key)
  }

  /** `partial`: calls come in pieces here, by their path. */
  #walk(value: unknown, key: string, path: string, partial: boolean): void {
    if (typeof value !== 'object' || value === null) return
    if (Array.isArray(value)) {
      for (const [position, item] of (value as unknown[]).entries())
        this.#walk(item, key, `${path}.${itemIndex(item, position)}`, partial)
      return
    }
    const object = value as Readonly<Record<string, unknown>>
    if (key === 'functionCall' && (object['willContinue'] === true || 'partialArgs' in object))
      throw unreadable('has the arguments of a call in pieces (partialArgs); turn them off in the request')
    const piece = pieceOf(key, object)
    if (piece !== undefined) return partial || this.#again ? this.#grow(path, piece) : this.#whole(piece)
    // LangChain says the pieces of a message in several forms.
    const chunks = object['tool_call_chunks']
    const message = `message ${JSON.stringify(object.id)}`
    if (Array.isArray(chunks) && chunks.length > 0) this.#walk(chunks, 'tool_call_chunks', message, true)
    else
      for (const name of Object.keys(object))
        if (!DEFINITIONS.has(name)) this.#walk(object[name], name, `${path}.${name}`, partial || name === 'delta')
    const ends = at(object, 'response_metadata.finish_reason') ?? at(object, 'response_metadata.stop_reason')
    if (object['chunk_position'] === 'last' || textOf(ends) !== '') this.#close(message)
  }

  #grow(key: string, { id = '', name = '', given, kind = '' }: Piece): void {
    const text = given === undefined || isEmpty(given) ? '' : typeof given === 'string' ? given : JSON.stringify(given)
    let open = this.#open.get(key)
    // Servers that send whole calls give them no index of their own.
    const isNext =
      open !== undefined &&
      ((id !== '' && open.id !== '' && id !== open.id) ||
        (name !== '' && !this.#again && open.text !== '' && parsed(open.text) !== open.text))
    if (isNext) this.#close(key)
    if (open === undefined || isNext) {
      open = { id, kind, name, text: '' }
      this.#open.set(key, open)
      this.#touched = true
    } else if (name !== open.name) open.name += name
    open.text = this.#again ? text : open.text + text
  }

  /** A call as a whole. It ends the one that came in pieces under its id, or under this key. */
  #whole({ id = '', name, given, kind = '', rest }: Piece, key?: string): void {
    for (const [each, open] of this.#open) if (each === key || (id !== '' && open.id === id)) this.#open.delete(each)
    this.#tell(id, name ?? kind, given === undefined ? rest : parsed(given))
  }

  /** All whose keys begin so are complete. */
  #close(prefix: string): void {
    for (const [key, { id, kind, name, text }] of this.#open)
      if (key.startsWith(prefix)) {
        this.#open.delete(key)
        this.#tell(id, name || kind, parsed(text))
      }
  }

  #tell(id: string, name: string, args: unknown): void {
    this.#touched = true
    const known = JSON.stringify([id, name, args])
    if (id !== '' && this.#known.has(known)) return
    this.#known.add(known)
    if ((this.#count += 1) > MOST_CALLS) throw unreadable(`asks for more than ${MOST_CALLS} calls of tools`)
    this.#found({ name, arguments: args })
  }
}

/** What the field that holds it, or its type, says is a call. */
function pieceOf(key: string, value: unknown): Piece | undefined {
  if (!isObject(value)) return undefined
  const type = textOf(value.type)
  const inner = [value[type], value.function].find(isObject) ?? value
  const given = ARGUMENTS.map((name) => inner[name]).find((each) => each !== undefined)
  if (!HOLDERS.has(key) && !(CALL.test(type) && (given !== undefined || !type.includes('-')))) return undefined
  const id = IDS.map((name) => textOf(value[name])).find((each) => each !== '')
  const name = NAMES.map((each) => textOf(inner[each])).find((each) => each !== '')
  const rest = Object.fromEntries(Object.entries(inner).filter(([each]) => !BESIDE.has(each)))
  return { ...(id && { id }), ...(name && { name }), given, kind: type.replace(/^tool-/, '') || key, rest }
}

/** The beginning of a call may have an empty object in the place of its pieces. */
const isEmpty = (given: unknown): boolean => isObject(given) && Object.keys(given).length === 0
/** Arguments as their object, else as their text. None are an object without fields. */
const parsed = (given: unknown): unknown =>
  typeof given === 'string' ? (given === '' ? {} : (parseLoosely(given)?.value ?? given)) : given

/** A lane of events: a sub-agent of AG-UI, an output of Mistral. */
const laneOf = ({ output_index: place, subagentRunId }: Readonly<Record<string, unknown>>): string =>
  JSON.stringify([place ?? subagentRunId])

function at(value: unknown, path: string): unknown {
  const names = path.split('.').filter((name) => name !== '')
  return names.reduce<unknown>((of, name) => (isObject(of) ? of[name] : undefined), value)
}

function unreadable(what: string): LlamaGuardError {
  return unreadableResponse(`The reply ${what}, so that onToolCall cannot be asked.`)
}

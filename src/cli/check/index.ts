// `check`: judges texts and conversations from the command line exactly as the middleware does, and prints one line
// each. A text, a JSON conversation, or a line of either becomes the request that a chat client would send.
import { conversationsToJudge } from '../../request/conversations.js'
import { openaiChat } from '../../dialects/openai-chat.js'
import { invalidOption, toLlamaGuardError, unreadableRequest } from '../../types/errors.js'
import { parseOptions } from '../../options/config.js'
import type { LlamaGuardOptions } from '../../options/index.js'
import { decide, decideError } from '../../policy.js'
import { createServices, type Services } from '../../services/index.js'
import type { Decision, Stage } from '../../types.js'
import { isObject, parsedJson } from '../../utils/json.js'
import type { OutputFormat } from '../flags.js'
import { type Colour, EXIT, type ExitCode, type Io, painter, printable, table } from '../io.js'
import { linesOf } from '../lines.js'

/** What is judged: one text, one JSON conversation, or else a text or a JSON conversation a line. */
export interface CheckOptions {
  readonly text?: string
  readonly json?: string
  readonly stdin?: AsyncIterable<string | Uint8Array>
  readonly output?: OutputFormat
  /** Settings that win over the variables. */
  readonly options?: LlamaGuardOptions
}

interface Result {
  readonly id: string
  readonly stage: Stage
  readonly verdict: 'safe' | 'unsafe' | 'unjudged'
  readonly categories: Decision['categories']
  readonly score?: number
  readonly code?: string
  readonly message?: string
  readonly ms: number
}

/** The most lines that are judged at once. The results keep the order of the lines. */
const WIDTH = 16

export async function check(options: CheckOptions, io: Io): Promise<ExitCode> {
  // There is no upstream, because nothing is forwarded. The log is off, because its lines would stand between the
  // results on standard output.
  const services = createServices({
    ...parseOptions({ logger: false, ...options.options }, io.env),
    upstream: undefined,
  })
  const counts: Record<Result['verdict'], number> = { safe: 0, unsafe: 0, unjudged: 0 }
  const { output = 'text' } = options
  const rows: string[][] = []
  const print = {
    text: textPrinter(io),
    json: (result: Result) => void io.stdout.write(`${JSON.stringify(result)}\n`),
    markdown: (result: Result) => void rows.push(cellsOf(result)),
  }[output]
  try {
    const waiting: Promise<Result>[] = []
    const next = async (): Promise<void> => {
      const result = await waiting.shift()
      if (result === undefined) return
      counts[result.verdict] += 1
      print(result)
    }
    for await (const read of itemsOf(options)) {
      if (io.signal?.aborted) break
      waiting.push(judge(read, services))
      if (waiting.length >= WIDTH) await next()
    }
    while (waiting.length > 0) await next()
  } finally {
    await services.close()
  }
  const total = counts.safe + counts.unsafe + counts.unjudged
  if (total === 0)
    throw invalidOption(
      'There is nothing to check. Give a text, a conversation with --file, or lines on standard input.',
    )
  const sum = `${counts.safe} safe, ${counts.unsafe} unsafe, ${counts.unjudged} not judged`
  if (output === 'markdown') io.stdout.write(table(HEAD, rows))
  if (output !== 'json' && total > 1) io.stdout.write(`${sum}\n`)
  if (io.signal?.aborted) {
    io.stderr.write(`Interrupted after ${total}: ${sum}. What is above was judged; give the rest to go on.\n`)
    return EXIT.failed
  }
  return counts.unsafe > 0 ? EXIT.unsafe : counts.unjudged > 0 ? EXIT.failed : EXIT.ok
}

type Read = { readonly id: string; readonly item: () => Item }

async function* itemsOf({ text, json, stdin }: CheckOptions): AsyncGenerator<Read> {
  if (text !== undefined) yield { id: 'text', item: () => textItem(text, 'text') }
  if (json !== undefined) yield { id: 'json', item: () => jsonItem(json, 'json') }
  if (text !== undefined || json !== undefined || stdin === undefined) return
  for await (const { number, bytes } of linesOf(stdin)) {
    const line = bytes.toString()
    if (line.trim() !== '') yield { id: `line ${number}`, item: () => lineItem(line, `line ${number}`) }
  }
}

async function judge({ id, item }: Read, services: Services): Promise<Result> {
  const { config, judge, categories, vision, model } = services
  let stage: Stage = 'input'
  let name = id
  try {
    const read = item()
    name = read.id
    const request = openaiChat.request(read.body)
    const conversations = conversationsToJudge(request, config, vision)
    // The last turn of the assistant is a reply and is judged as one. Without this the exit code would depend on the
    // turns of the user alone.
    if (request.turns.at(-1)?.role === 'Agent') stage = 'output'
    const judgements = await Promise.all(
      conversations.map((conversation) =>
        judge.judge(conversation, { stage: conversation.at(-1)?.role === 'Agent' ? 'output' : 'input' }),
      ),
    )
    return resultOf(name, decide(stage, judgements, { ...config, mode: 'enforce', onError: 'closed' }, categories))
  } catch (error) {
    return resultOf(
      name,
      decideError(stage, toLlamaGuardError(error), { ...config, mode: 'enforce', onError: 'closed' }, model),
    )
  }
}

function resultOf(id: string, { stage, outcome, categories, error, ms }: Decision): Result {
  const verdict = outcome.state === 'skipped' ? 'unjudged' : outcome.state
  return {
    id,
    stage,
    verdict,
    categories,
    score: outcome.score,
    code: error?.code,
    message: error?.message ?? (verdict === 'unjudged' ? 'There is no text to judge.' : undefined),
    ms: Math.round(ms * 10) / 10,
  }
}

const HEAD = ['Verdict', 'Id', 'Stage', 'Score', 'ms', 'Why']

const cellsOf = ({ id, stage, verdict, score, ms, code, message, categories }: Result): string[] => [
  verdict,
  id,
  stage,
  score === undefined ? '-' : score.toFixed(3),
  ms.toFixed(0),
  [code, message].filter((part) => part !== undefined).join(': ') ||
    categories.map((category) => `${category.code} ${category.name}`).join(', '),
]

const WIDTHS = [8, 24, 6, 6, 6]

/** A line as soon as it is known, so its columns have fixed widths. */
function textPrinter({ stdout, env }: Io): (result: Result) => void {
  const paint = painter(stdout, env)
  const colours = { safe: 'green', unsafe: 'red', unjudged: 'yellow' } as const
  const write = (colour: Colour, cells: readonly string[]): void => {
    const [first = '', ...rest] = cells.map((cell, at) => {
      const width = WIDTHS[at]
      return width === undefined ? cell : printable(cell).slice(0, width).padEnd(width)
    })
    stdout.write(`${[paint(colour, first), ...rest].join(' ').trimEnd()}\n`)
  }
  let headed = false
  return (result) => {
    if (!headed) write('bold', HEAD)
    headed = true
    write(colours[result.verdict], cellsOf(result))
  }
}

interface Item {
  /** The caller's own id, or the line number. */
  readonly id: string
  /** A Chat Completions body. */
  readonly body: Readonly<Record<string, unknown>>
}

/** A plain text is one user message. */
const textItem = (text: string, id: string): Item => ({ id, body: { messages: [{ role: 'user', content: text }] } })

/** What begins so was meant as JSON, and is an error where it is cut. */
const JSON_BEGIN = /^\s*(?:\{\s*"|\[\s*[{"]|")/

/** A line is a JSON conversation or string. Every other line is a text as it stands: it is judged, never skipped. */
const lineItem = (line: string, id: string): Item => (JSON_BEGIN.test(line) ? jsonItem(line, id) : textItem(line, id))

/**
 * A string, a list of messages, `{messages}`, `{prompt, response}`, `{text}` or `{input, output}`. `id` names the
 * item.
 * @throws LlamaGuardError `unreadable_request` for a line that cannot be read, because it must not count as safe.
 */
function jsonItem(json: string, id: string): Item {
  const parsed = parsedJson(json)
  if (parsed === undefined) throw unreadableRequest(`${id} is not JSON.`)
  const { value } = parsed
  if (typeof value === 'string') return textItem(value, id)
  if (Array.isArray(value)) return { id, body: { messages: value } }
  const body = isObject(value) ? value : {}
  const { id: own, messages, text, prompt = text, input = prompt, response, output = response } = body
  const name = typeof own === 'string' || typeof own === 'number' ? String(own) : id
  if (Array.isArray(messages)) return { id: name, body }
  if (typeof input === 'string') {
    const reply = typeof output === 'string' ? [{ role: 'assistant', content: output }] : []
    return { id: name, body: { messages: [{ role: 'user', content: input }, ...reply] } }
  }
  throw unreadableRequest(
    `${id} is no conversation. Give a string, a list of messages, {"messages": [...]}, {"text": ` +
      '"..."} or {"prompt": "...", "response": "..."}.',
  )
}

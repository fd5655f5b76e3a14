// OpenAI Responses: `/responses`, a text or a list of items in, a list of output items out.
// https://platform.openai.com/docs/api-reference/responses
import { isObject } from '../utils/json.js'
import type { Dialect, ReplyChoice } from './dialect.js'
import { Content } from './kit/content.js'
import { unreadable, unsupported } from './kit/media.js'
import { readMessage, tell } from './kit/messages.js'
import { readParameters } from './kit/parameters.js'
import { readContent } from './kit/parts.js'
import { openaiRefusal } from './kit/refusals.js'
import { ChoiceTexts, itemIndex } from './kit/reply-texts.js'
import { RequestBuilder, wantsStream } from './kit/request-builder.js'
import { RequestWalker } from './kit/request-walker.js'
import { TextWalker } from './kit/text-walker.js'
import { declinedResponse, ITEM, RESPONSES_REPLY } from './openai-responses-reply.js'
import { responsesStream } from './openai-responses-stream.js'

const READ = new Set(['input'])

export const openaiResponses: Dialect = {
  name: 'openai-responses',
  paths: ['/responses'],
  // A response in the background is polled, and the items of a conversation are listed.
  bodiless: ['/v1/responses/*', '/openai/responses/*', '/v1/conversations/*/items', '/v1/conversations/*/items/*'],
  answers: (data) => isObject(data) && data.type === 'response.created',
  framing: 'sse',
  claims: ({ input }) => typeof input === 'string' || Array.isArray(input),
  request(body) {
    const walker = new RequestWalker(body)
    const builder = new RequestBuilder()
    readInput(body.input, walker, builder)
    readParameters(body, READ, walker, builder)
    return builder.build(wantsStream(body.stream), body.model)
  },
  reply: readReply,
  stream: responsesStream,
  refusal: (refusal) => openaiRefusal(refusal, { input: 'input', output: 'output' }),
  decline: declinedResponse,
}

const AGENT_ITEMS = new Set([
  'function_call',
  'custom_tool_call',
  'file_search_call',
  'web_search_call',
  'computer_call',
  'code_interpreter_call',
  'local_shell_call',
  'shell_call',
  'apply_patch_call',
  'tool_search_call',
  'mcp_call',
  'mcp_list_tools',
  'mcp_approval_request',
  'reasoning',
  'compaction',
  'program',
])
const TOOL_ITEMS = new Set([
  'function_call_output',
  'custom_tool_call_output',
  'computer_call_output',
  'local_shell_call_output',
  'shell_call_output',
  'apply_patch_call_output',
  'tool_search_output',
  'mcp_approval_response',
  'program_output',
])
/**
 * Items without words. What they refer to was judged when it was said. A request of only such items has nothing to
 * judge and is refused.
 */
const WORDLESS_ITEMS = new Set(['item_reference', 'compaction_trigger'])
const MEDIA_ITEMS = new Set(['image_generation_call'])

function readInput(input: unknown, walker: RequestWalker, builder: RequestBuilder): void {
  if (typeof input === 'string') return tell(builder, 'user', readContent(walker, input))
  if (!Array.isArray(input)) throw unreadable('`input` is neither text nor a list of items')
  for (const item of input as unknown[]) readItem(item, walker, builder)
}

function readItem(item: unknown, walker: RequestWalker, builder: RequestBuilder): void {
  if (!isObject(item)) throw unreadable('An input item is not an object')
  const { type } = item
  if (type === 'message' || (type === undefined && 'role' in item)) return readMessage(item, walker, builder)
  if (typeof type !== 'string') throw unreadable('An input item has neither a type nor a role')
  if (AGENT_ITEMS.has(type) || WORDLESS_ITEMS.has(type)) return readStrings(item, 'assistant', walker, builder)
  if (TOOL_ITEMS.has(type)) return readResult(item, walker, builder)
  if (type === 'additional_tools') return readStrings(item, 'system', walker, builder)
  if (MEDIA_ITEMS.has(type)) throw unsupported('a generated image as an input item')
  throw unreadable('An input item has a type this guard does not know')
}

function readStrings(
  item: Record<string, unknown>,
  speaker: 'assistant' | 'system',
  walker: RequestWalker,
  builder: RequestBuilder,
): void {
  const said = new Content(false)
  walker.read(item, said, { json: true })
  tell(builder, speaker, said)
}

function readResult(item: Record<string, unknown>, walker: RequestWalker, builder: RequestBuilder): void {
  const { output, ...rest } = item
  const said = new Content(false)
  if (isScreenshot(output)) said.take(readContent(walker, [{ ...output, type: 'input_image' }], false))
  else if (typeof output === 'string' || isParts(output)) said.take(readContent(walker, output, false))
  else walker.read(output, said, { key: 'output', json: true })
  walker.read(rest, said, { json: true })
  tell(builder, 'tool', said)
}

/** True for typed parts like those of messages. Shells and other tools answer with lists of their own. */
function isParts(output: unknown): boolean {
  return (
    Array.isArray(output) &&
    output.every((part: unknown) => isObject(part) && typeof part.type === 'string' && part.type.startsWith('input_'))
  )
}

function isScreenshot(output: unknown): output is Record<string, unknown> {
  return isObject(output) && output.type === 'computer_screenshot'
}

/** One output item is one choice. Text that the reply repeats from the request is judged with the first item. */
function readReply(body: unknown): readonly ReplyChoice[] | undefined {
  if (!isObject(body) || !Array.isArray(body.output)) return undefined
  const walker = new TextWalker(RESPONSES_REPLY)
  const texts = new ChoiceTexts()
  for (const [position, item] of (body.output as unknown[]).entries()) {
    const index = itemIndex(item, position)
    texts.open(index)
    walker.walk(item, (path, text) => texts.add(index, text, path), { fields: ITEM })
  }
  const { output: _, ...outside } = body
  const judged = new Set(texts.list().map(({ text }) => text))
  // The SDK's field `output_text` repeats the words of the items.
  walker.walk(outside, (_path, text) => {
    if (!judged.has(text)) texts.addOutside(text)
  })
  return texts.list()
}

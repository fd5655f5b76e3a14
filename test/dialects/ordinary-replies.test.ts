// What vendors put beside the words of a reply goes unjudged: ids, dates, counts and sealed data, each in its own field.
// The lists are written out again here, because a field that is missing in the source costs false alarms.
import { describe, expect, it } from 'vitest'
import { generic } from '../../src/dialects/generic.js'
import { BUILT_IN } from '../../src/dialects/index.js'
import { REPLIES } from './replies.js'
import { event } from './streams.js'

const SEALED = 'EqMBCkYIBRgCKkBh7mCa0uX9bVn3Qw1rTg5Yz8PoLk2JdHs6FcXeNiMv4RtUyWq0ZaBxSgKp'
const words = (list: string): string[] => list.split(/\s+/).filter((name) => name !== '')

const OPENAI = words(`id object created created_at model system_fingerprint service_tier role type finish_reason
  native_finish_reason stop_reason stop_sequence matched_stop status index tool_call_id call_id item_id response_id
  provider obfuscation severity request_id`)
const COUNTS = words('usage timings time_info x_groq content_filter_results prompt_filter_results')
const OPAQUE = words('encrypted_content signature thought_signature')

interface Lists {
  readonly metadata: readonly string[]
  readonly containers?: readonly string[]
  readonly opaque?: readonly string[]
}
const RESPONSES: Lists = {
  metadata: [
    ...OPENAI,
    ...words(`tool_choice truncation verbosity effort user safety_identifier prompt_cache_key prompt_cache_retention
      previous_response_id file_id container_id approval_request_id server_label phase execution source`),
  ],
  containers: words('usage metadata reasoning incomplete_details conversation prompt_cache_options billing'),
  opaque: OPAQUE,
}
const ANTHROPIC: Lists = {
  metadata: [
    ...OPENAI,
    ...words('tool_use_id file_id media_type expires_at server_name category retrieved_at error_code'),
  ],
  containers: words('usage container caller context_management'),
  opaque: [...OPAQUE, ...words('encrypted_index data')],
}
const AI_SDK: Lists = {
  metadata: words(`type id role state messageId toolCallId toolName approvalId sourceId mediaType finishReason
    inputEncoding`),
  containers: ['usage'],
  opaque: ['signature'],
}
const GEMINI: Lists = {
  metadata: words(`role id finishReason blockReason category probability severity modelVersion responseId createTime
    modality trafficType language outcome urlRetrievalStatus modelStage`),
  containers: ['usageMetadata'],
  opaque: words('thoughtSignature thought_signature'),
}
const CONVERSE: Lists = {
  metadata: words('role type stopReason toolUseId latency status format'),
  containers: words('usage metrics'),
  opaque: words('signature redactedContent'),
}
const COMMON: Lists = { metadata: OPENAI, containers: COUNTS, opaque: OPAQUE }
const LISTS: Readonly<Record<string, Lists>> = {
  'openai-chat': COMMON,
  'openai-completions': COMMON,
  'openai-responses': RESPONSES,
  'anthropic-messages': ANTHROPIC,
  'ollama-chat': { metadata: [...OPENAI, ...words('done_reason remote_model remote_host')] },
  'ai-sdk': AI_SDK,
  'ai-sdk-completion': AI_SDK,
  'ag-ui': {
    metadata: words(`type id role messageId toolCallId toolCallName parentMessageId parentToolCallId threadId runId
      parentRunId subagentRunId parentSubagentRunId stepName activityType entityId subtype protocolVersion interruptIds
      pendingToolCallIds mimeType op path from`),
    containers: ['usage'],
    opaque: ['encryptedValue'],
  },
  langgraph: {
    metadata: [
      ...OPENAI,
      ...words(`run_id thread_id assistant_id graph_id checkpoint_id checkpoint_ns updated_at multitask_strategy`),
    ],
    containers: [...COUNTS, ...words('metadata response_metadata usage_metadata configurable')],
    opaque: OPAQUE,
  },
  gemini: GEMINI,
  'gemini-stream': GEMINI,
  'cohere-chat': {
    metadata: words('id type role finish_reason generation_id tool_call_id'),
    containers: ['usage'],
  },
  'bedrock-converse': CONVERSE,
  'bedrock-converse-stream': CONVERSE,
  generic: COMMON,
}
/** Names of models and padding are read in their own fields. */
const SPECIAL: Readonly<Record<string, string>> = {
  model: 'gpt-4o',
  remote_model: 'gpt-4o',
  modelVersion: 'gpt-4o',
  obfuscation: 'x9QkLv4vZ7',
}
const id = (at: number): string => `b4a1f0e2-94c3-4d7a-8f21-0c9d3e5a7b${10 + at}`

describe.each(
  [...BUILT_IN, generic].filter(({ name }) => name in LISTS).map((dialect) => [dialect.name, dialect] as const),
)('In a reply of %s', (name, dialect) => {
  const { metadata, containers = [], opaque = [] } = LISTS[name]!
  // The APIs of agents answer in events alone.
  const judged = (beside: object): string => {
    const reply = { ...REPLIES[name]!('Hello'), response: beside }
    return (dialect.reply(reply) ?? dialect.stream().read(event(reply))).map(({ text }) => text).join('|')
  }

  it('ids in their own fields go unjudged, and words in them do not', () => {
    const plain = judged({})
    for (const [at, key] of metadata.entries()) {
      const value = SPECIAL[key] ?? id(at)
      expect([key, judged({ [key]: value })]).toEqual([key, plain])
      expect([key, judged({ [key]: 'planted words' })]).toEqual([key, expect.stringContaining('planted words')])
    }
    expect(judged({ title: id(0) })).toContain(id(0))
  })

  it('whatever has the form of an id in lists of counts and settings goes unjudged, and words do not', () => {
    const plain = judged({})
    for (const key of containers) {
      expect([key, judged({ [key]: { title: id(0) } })]).toEqual([key, plain])
      expect([key, judged({ [key]: { title: 'planted words' } })]).toEqual([key, expect.stringContaining('planted')])
    }
  })

  it('sealed data goes unjudged in its own fields, and words in them do not', () => {
    const plain = judged({})
    for (const key of opaque) {
      expect([key, judged({ [key]: SEALED })]).toEqual([key, plain])
      expect([key, judged({ [key]: 'planted words' })]).toEqual([key, expect.stringContaining('planted words')])
    }
    expect(judged({ title: SEALED })).toContain(SEALED)
  })
})

// Completes the chats of a guard model on Amazon Bedrock with Converse, which makes the model's format and takes the
// account's credentials. A prompt is a JSON list of messages. Source: the types of @aws-sdk/client-bedrock-runtime.
import type { ContentBlock, ConverseCommandOutput } from '@aws-sdk/client-bedrock-runtime'
import { inTime } from '../../../utils/deadline.js'
import type { Complete, Completer, Completion } from '../../answer/completion.js'
import type { Message } from '../../prompt/gpt-oss-safeguard.js'
import { bedrockClient, type BedrockClientOptions } from './index.js'

export interface BedrockCompleteOptions extends BedrockClientOptions {
  /** Bedrock's id of the model, or an inference profile. */
  readonly model: string
  readonly maxNewTokens: number
}

/** @throws LlamaGuardError `dependency_missing` without the package @aws-sdk/client-bedrock-runtime. */
export function bedrockComplete({ model, maxNewTokens, ...options }: BedrockCompleteOptions): Completer {
  const { call, check, close } = bedrockClient('bedrock', options)
  const complete: Complete = (prompt, { signal }) =>
    inTime({ ms: options.timeoutMs, signal }, async (inner) => {
      const messages = JSON.parse(prompt) as readonly Message[]
      const texts = (role: Message['role']): { text: string }[] =>
        messages.flatMap((message) => (message.role === role ? [{ text: message.content }] : []))
      const reply = await call((client) =>
        client.converse(
          {
            modelId: model,
            system: texts('system'),
            messages: [{ role: 'user', content: texts('user') }],
            inferenceConfig: { maxTokens: maxNewTokens, temperature: 0 },
          },
          inner.signal,
        ),
      )
      return completionOf(reply)
    })
  const identity = JSON.stringify(['bedrock', process.env['AWS_REGION'] ?? null, model])
  return Object.assign(complete, { check, close, identity })
}

/** The answer without what the model thought. Any reason to end but the end of the turn is no whole answer. */
function completionOf({ output, stopReason, usage }: ConverseCommandOutput): Completion {
  const blocks: readonly ContentBlock[] = output?.message?.content ?? []
  return {
    text: blocks.map(({ text = '' }) => text).join(''),
    finishReason: stopReason === 'end_turn' || stopReason === 'stop_sequence' ? 'stop' : (stopReason ?? 'none'),
    usage: { input: usage?.inputTokens ?? 0, output: usage?.outputTokens ?? 0 },
  }
}

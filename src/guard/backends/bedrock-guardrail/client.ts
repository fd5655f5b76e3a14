// Calls ApplyGuardrail and Converse through the AWS SDK, which is an optional peer.
import { ApplyGuardrailCommand, BedrockRuntimeClient, ConverseCommand } from '@aws-sdk/client-bedrock-runtime'
import type { ApplyGuardrailCommandInput, ConverseCommandInput } from '@aws-sdk/client-bedrock-runtime'
import { NodeHttpHandler } from '@smithy/node-http-handler'

export type BedrockClient = ReturnType<typeof createClient>

const CONNECT_MS = 3000

export function createClient(o: { readonly concurrency: number; readonly timeoutMs: number }) {
  const agent = { keepAlive: true, maxSockets: o.concurrency }
  const client = new BedrockRuntimeClient({
    // The judge retries, within one budget.
    maxAttempts: 1,
    requestHandler: new NodeHttpHandler({
      httpAgent: agent,
      httpsAgent: agent,
      connectionTimeout: Math.min(CONNECT_MS, o.timeoutMs),
      requestTimeout: o.timeoutMs,
      throwOnRequestTimeout: true,
    }),
  })
  return {
    converse: (input: ConverseCommandInput, signal: AbortSignal) =>
      client.send(new ConverseCommand(input), { abortSignal: signal }),
    apply: (input: ApplyGuardrailCommandInput, signal: AbortSignal) =>
      client.send(new ApplyGuardrailCommand(input), { abortSignal: signal }),
    /** Rejects with the SDK's error when there are no credentials. */
    check: async () => void (await client.config.credentials()),
    close: () => client.destroy(),
  }
}

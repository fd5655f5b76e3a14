// The emulator of src/testing with every container, every way to fail, and a check of the whole signature: a client that
// signs nothing, or the wrong thing, fails here as it would fail on AWS.
import { CREDENTIALS, REGION } from '../../src/testing/aws.js'
import { readPrompt } from '../../src/testing/model.js'
import { environmentOf, startRuntime } from '../../src/testing/sagemaker-emulator.js'
import { callOf, maxTokensOf } from './call.js'
import { promptOf } from './containers.js'
import { createFleet } from './fleet.js'
import { checkSignature } from './sigv4.js'
import type { BehaveOptions, Behaviour, Emulator, EmulatorOptions, Received } from './types.js'

export { readPrompt } from '../../src/testing/model.js'
export type { Answer, Asked } from '../../src/testing/model.js'
export type { Container } from './containers.js'
export type * from './types.js'
export { FAULTS } from './faults.js'

/** Tokens of `safe` with what surrounds it. */
const ANSWER_TOKENS = 3

const sleep = (ms: number): Promise<void> => (ms <= 0 ? Promise.resolve() : new Promise((wake) => setTimeout(wake, ms)))

interface Queued extends BehaveOptions {
  behaviour: Behaviour
}

export async function startEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
  const endpoints = [...(options.endpoints ?? ['llama-guard']), ...Object.keys(options.serves ?? {})]
  const requests: Received[] = []
  const queue: Queued[] = []
  const fleet = options.timing && createFleet(options.timing, sleep)
  const { aheadMs = 0, error: called } = options.clock ?? {}
  let open = 0
  let peak = 0

  function next(received: Received): Behaviour | undefined {
    const found = queue.find((queued) => queued.when?.(received) ?? true)
    if (found?.times !== undefined && --found.times <= 0) queue.splice(queue.indexOf(found), 1)
    return found?.behaviour
  }

  const runtime = await startRuntime({
    port: options.port,
    endpoints,
    async admit(request, raw, response) {
      peak = Math.max(peak, ++open)
      response.once('close', () => open--)
      const now = Date.now() + aheadMs
      if (aheadMs !== 0) response.setHeader('date', new Date(now).toUTCString())
      const forged = await checkSignature(request, raw, now)
      return forged && called !== undefined ? { ...forged, name: called } : forged
    },
    async answer({ endpoint, raw, body }, request, response) {
      const prompt = body && promptOf(body)
      const asked = prompt === undefined ? undefined : readPrompt(prompt)
      const received: Received = { endpoint, headers: request.headers, raw, body, prompt, asked }
      requests.push(received)
      if (options.latencyMs) await sleep(options.latencyMs)
      const tokens = prompt?.match(/[^]{1,4}/g) ?? []
      if (fleet) await fleet.serve({ body: raw, tokens, answer: Math.min(maxTokensOf(body), ANSWER_TOKENS) })
      const call = callOf(received, request, response, options)
      const behaviour = next(received)
      if (behaviour) await behaviour(call)
      else call.answer()
    },
  })
  return {
    ...runtime,
    endpoint: endpoints[0] ?? '',
    env: environmentOf(runtime.url),
    requests,
    copies: fleet?.copies ?? [],
    get peak() {
      return peak
    },
    conversations: () => requests.flatMap((received) => received.asked ?? []),
    behave: (behaviour, given = {}) => void queue.push({ behaviour, ...given }),
    reset() {
      queue.length = 0
      requests.length = 0
      peak = open
    },
  }
}

/** What the AWS SDK must find in the environment to talk to the emulator instead of AWS. */
export const emulatorEnv = ({ url }: { readonly url: string }): Record<string, string> => environmentOf(url)

/** The same as a configuration for `new SageMakerRuntimeClient(...)`. */
export function emulatorClient(emulator: { readonly url: string }) {
  return { region: REGION, credentials: CREDENTIALS, endpoint: emulator.url }
}

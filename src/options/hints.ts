// Hints for common mistakes: what people write in place of the right option, variable, guard or model, and what to
// write instead.
import { MODELS } from './index.js'

const REGION = 'The region comes from the AWS SDK: set AWS_REGION, or a profile in AWS_PROFILE.'
const BASE_URL =
  "Set `guardUrl` (LLAMA_GUARD_URL) to the base URL of an OpenAI-compatible guard, with `guard: 'openai'`."
const POLICY = 'Use `policy: { categories, task, instruction }`, or a file with these parts (LLAMA_GUARD_POLICY).'

/** Keyed by the name of an option, or of a variable without its prefix, in lower case without underscores. */
const HINTS: Readonly<Record<string, string>> = {
  region: REGION,
  awsregion: REGION,
  credentials: 'Credentials come from the AWS SDK: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.',
  profile: 'The profile comes from the AWS SDK: set AWS_PROFILE.',
  endpointurl: 'The URL of SageMaker comes from the AWS SDK: set AWS_ENDPOINT_URL. `endpoint` takes an endpoint name.',
  endpointname: 'Set `endpoint` (LLAMA_GUARD_ENDPOINT) to the name of the SageMaker endpoint.',
  baseurl: BASE_URL,
  url: BASE_URL,
  apikey: 'Set `guardApiKey` (LLAMA_GUARD_API_KEY) for the guard, or `upstream: { url, apiKey }` for the chat model.',
  failopen: "Set `onError: 'open'` (LLAMA_GUARD_ON_ERROR=open) to let through what could not be judged.",
  timeout: 'Set `timeoutMs` (LLAMA_GUARD_TIMEOUT_MS), in milliseconds.',
  backend: 'Set `guard` (LLAMA_GUARD_BACKEND).',
  threshold: 'It is an option of llamaGuard() (LLAMA_GUARD_THRESHOLD), and may stand in a policy file.',
  category: POLICY,
  categories: POLICY,
  task: POLICY,
  instruction: POLICY,
  // Options of version 0.2, and keys of its policy file, and what took their place.
  queue: 'It is gone: four times `concurrency` requests may wait.',
  breaker: 'It is gone: a guard that keeps failing is always left alone for a moment.',
  maxattempts: 'It is gone: a call that may succeed the second time is tried twice.',
  keepalive: 'It is gone: the head of a stream leaves with its first judged word.',
  loglevel: 'Set the variable LLAMA_GUARD_LOG_LEVEL, or `logger: false` for no log.',
  cachesecret: 'Use `cacheStore: redisStore(url, { secret })`, or the variable LLAMA_GUARD_CACHE_SECRET.',
  shadowsample: 'Use `mode: { shadow: 0.1 }` (LLAMA_GUARD_MODE=shadow:0.1).',
  actions: "Use `policy: { actions: { S5: 'flag' } }`, or `actions` in the file of LLAMA_GUARD_POLICY.",
  policyurl: 'Use `policy: { url }` (LLAMA_GUARD_POLICY_URL); in a policy file `url`.',
  text: "Use `dialects: [{ in: 'message', out: 'reply' }]` (LLAMA_GUARD_TEXT, as JSON).",
  controversial: "Use `policy: { actions: { controversial: 'flag' } }`.",
  categorythresholds: 'Use `threshold: { default: 0.5, S1: 0.3 }`.',
  refusal: 'Use `handler(req, res, decision)`, which answers a block, or `refusalText`.',
  reply: "Use `dialects: [{ in: 'message', out: 'reply' }]` (LLAMA_GUARD_TEXT, as JSON).",
  cascade: 'Use `guards: [{ first, safeBelow, unsafeAbove }]`.',
  fallback: 'Use `guards: [{ fallback: createGuard({ ... }) }]`.',
  shadowguard: 'Use `guards: [{ shadow: createGuard({ ... }), rate: 0.1 }]`.',
  firsttoken: 'It is gone: an answer is read as a whole.',
  pace: "Use `streaming: 'fixed'` (LLAMA_GUARD_STREAMING=fixed); with `window` the guard's own speed sets the pace.",
  modelpath: 'Set `guardModel` (LLAMA_GUARD_MODEL_ID) to the path of the GGUF file.',
  tenant: 'Return it from `context(req)`: `{ tenant }` separates remembered verdicts.',
}

const BACKEND_HINTS: readonly (readonly [RegExp, string])[] = [
  [
    /^(?:vllm|tgi|lmi|ollama|sglang|together|groq|openai-compatible|openrouter)$/i,
    "That is an OpenAI-compatible server: set `guard: 'openai'`, and `guardUrl` to its base URL.",
  ],
  [/^(?:llama[._-]?cpp|gguf|node-llama-cpp)$/i, "Set `guard: 'llama-cpp'`, and `guardModel` to the GGUF file."],
  [/^(?:llama[-_ ]?guard|meta-llama\/)/i, 'That is a model. Set `model` to it, and `guard` to where it runs.'],
]

/** A sentence for an unknown option or variable; undefined when there is no hint for it. */
export function hintForOption(name: string): string | undefined {
  const key = name
    .replace(/^LLAMA_GUARD_/, '')
    .replaceAll('_', '')
    .toLowerCase()
  return Object.hasOwn(HINTS, key) ? HINTS[key] : undefined
}

/** A sentence for a value that was given in place of a backend. */
export function hintForBackend(name: string): string | undefined {
  return BACKEND_HINTS.find(([pattern]) => pattern.test(name))?.[1]
}

/** A sentence for a model name as Hugging Face or JumpStart spells it. */
export function hintForModel(name: string): string | undefined {
  const plain = name
    .toLowerCase()
    .replace(/^[^/]{0,80}\//, '')
    .replace(/[\s_.]/g, '-')
  const [, rest] = /^(?:meta-)?llama-?guard(.*)/.exec(plain) ?? []
  if (rest === undefined) return undefined
  // The first version has a size in its name and no number.
  const wanted = `llama-guard${rest === '-7b' ? '-1' : rest}`
  const model = MODELS.find((each) => wanted.startsWith(each)) ?? MODELS.find((each) => each.startsWith(wanted))
  return model && `Did you mean ${JSON.stringify(model)}?`
}

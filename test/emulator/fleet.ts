// The copies of an endpoint: which of them gets a request, what its prefix cache has of the prompt, and how long its GPU
// takes. The clock and the tokens are the caller's, so benchmarks count in simulated time with a model's own tokens.

export interface Timing {
  /** Milliseconds to read one token of a prompt. */
  readonly msPerPromptToken: number
  /** Milliseconds to make one token of an answer. Default: 0. */
  readonly msPerToken?: number
  /** Milliseconds of every request beside the model. Default: 0. */
  readonly baseMs?: number
  /** Keeps what was read, in blocks of 16 tokens, as vLLM does. Default: false. */
  readonly prefixCache?: boolean
  /** Copies with a GPU and a prefix cache each. Default: 1. */
  readonly copies?: number
  /**
   * PREFIX_AWARE: requests whose bodies begin with the same `length` bytes go to one copy, while fewer than `threshold`
   * are there. Default: LEAST_OUTSTANDING_REQUESTS.
   */
  readonly prefix?: { readonly length: number; readonly threshold: number }
}

/** What a copy was asked: requests, tokens of their prompts, and those that its cache had. */
export interface CopyCounts {
  readonly requests: number
  readonly prompt: number
  readonly cached: number
}

export interface FleetRequest {
  readonly body: string
  readonly tokens: readonly unknown[]
  /** Tokens of the answer. */
  readonly answer: number
}

export interface Fleet {
  readonly copies: readonly CopyCounts[]
  /** Resolves when the model would have answered, with the tokens that were in the cache and the time of the GPU. */
  serve(request: FleetRequest): Promise<{ readonly cached: number; readonly gpuMs: number }>
}

interface Copy {
  requests: number
  prompt: number
  cached: number
  open: number
  reading: Promise<unknown>
  readonly known: Set<string>
}

const BLOCK = 16

export function createFleet(timing: Timing, sleep: (ms: number) => Promise<unknown>): Fleet {
  const { msPerPromptToken, msPerToken = 0, baseMs = 0, prefixCache = false, copies = 1, prefix } = timing
  const fleet = Array.from({ length: copies }, (): Copy => ({
    requests: 0,
    prompt: 0,
    cached: 0,
    open: 0,
    reading: Promise.resolve(),
    known: new Set(),
  }))
  const leastOpen = (): Copy => fleet.reduce((best, copy) => (copy.open < best.open ? copy : best))
  const copyFor = (body: string): Copy => {
    if (prefix === undefined) return leastOpen()
    const begins = Buffer.from(body).subarray(0, prefix.length).toString('latin1')
    const own = fleet[fingerprint(begins) % copies]!
    return own.open < prefix.threshold ? own : leastOpen()
  }
  return {
    copies: fleet,
    async serve({ body, tokens, answer }) {
      const copy = copyFor(body)
      const cached = prefixCache ? cachedOf(tokens, copy.known) : 0
      const readMs = (tokens.length - cached) * msPerPromptToken
      copy.requests++
      copy.prompt += tokens.length
      copy.cached += cached
      copy.open++
      await sleep(baseMs)
      // One GPU reads one prompt after another, and makes the tokens of answers at the same time.
      const read = copy.reading.then(() => sleep(readMs))
      copy.reading = read
      await read
      await sleep(answer * msPerToken)
      copy.open--
      return { cached, gpuMs: readMs + answer * msPerToken }
    },
  }
}

/** The last token is always computed, because the answer begins with it. */
function cachedOf(tokens: readonly unknown[], known: Set<string>): number {
  let [chain, cached, hit] = ['', 0, true]
  for (let at = 0; at + BLOCK <= tokens.length; at += BLOCK) {
    chain = `${fingerprint(chain)}:${tokens.slice(at, at + BLOCK).join()}`
    hit &&= known.has(chain)
    if (hit) cached += BLOCK
    known.add(chain)
  }
  return Math.min(cached, tokens.length - 1)
}

/** A short name for a text. */
function fingerprint(text: string): number {
  let hash = 2166136261
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 16777619)
  return hash >>> 0
}

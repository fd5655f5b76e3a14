// What the linear model sees of a text: hashed words, word pairs and character n-grams. The trainer and the guard share this file,
// because a feature that is computed in two ways is a model that was trained for something else.

/** Table size as a power of two. Changing anything here needs a new training run. */
export const BUCKETS = 1 << 16
const MASK = BUCKETS - 1
const WORD = /[a-z]+(?:'[a-z]+)?|[0-9]+|[!?]+/g
/** Longer words are identifiers, URLs and noise: their beginning says enough. */
const MAX_WORD = 24
const MAX_CHARS = 5
const MIN_CHARS = 3

const FNV_BASIS = 0x811c9dc5
const FNV_PRIME = 0x01000193
const SPACE = 32

/** Spreads an FNV value over all bits; its low bits alone are poor. (murmur3's finaliser) */
function finish(hash: number): number {
  let value = hash ^ (hash >>> 16)
  value = Math.imul(value, 0x85ebca6b)
  value ^= value >>> 13
  value = Math.imul(value, 0xc2b2ae35)
  return (value ^ (value >>> 16)) & MASK
}

function hashWord(word: string): number {
  let hash = FNV_BASIS
  for (let at = 0; at < word.length; at++) hash = Math.imul(hash ^ word.charCodeAt(at), FNV_PRIME)
  return hash
}

/** Words that hold a sentence together. Alone they tell only who wrote the corpus, so they count solely beside another word. */
const GLUE = new Set(
  (
    'a about after all also am an and any are as at be been being but by can could did do does doing done for from get give given had has have having he her here hers him his how i if in into is ' +
    'it its just let like list make may me might more most much must my need no not now of on one only or other our out over please provide she should so some step steps such tell than that the their them then there ' +
    'these they this those through to too up us use used using via want was way ways we were what when where which while who whom whose why will with without would write you your yours explain describe create generate ' +
    "i'm i've it's don't can't let's what's that's"
  ).split(' '),
)

export interface Features {
  /** Buckets of words and word pairs, each once. */
  readonly words: readonly number[]
  /** Buckets of character n-grams inside words, each once. */
  readonly chars: readonly number[]
}

/** One generation number per call marks what this call has seen, so that no set is allocated or cleared. */
const seen = new Uint32Array(BUCKETS)
let generation = 0

/** Features of a normalised text. Synchronous, because the marks are shared. */
export function features(normalised: string): Features {
  if (++generation === 0xffffffff) {
    seen.fill(0)
    generation = 1
  }
  const words: number[] = []
  const chars: number[] = []
  const add = (hash: number, to: number[]): void => {
    const bucket = finish(hash)
    if (seen[bucket] === generation) return
    seen[bucket] = generation
    to.push(bucket)
  }
  let before = 0
  let glued = false
  for (const [whole] of normalised.matchAll(WORD)) {
    const word = whole.length > MAX_WORD ? whole.slice(0, MAX_WORD) : whole
    const hash = hashWord(word)
    const glue = GLUE.has(word)
    if (!glue) add(hash, words)
    if (before !== 0 && !(glue && glued)) add(Math.imul(before, 31) ^ hash, words)
    before = hash
    glued = glue
    if (glue) continue
    for (let start = -1; start + MIN_CHARS <= word.length + 1; start++) {
      let gram = ~FNV_BASIS
      for (let length = 1; length <= MAX_CHARS && start + length <= word.length + 1; length++) {
        const at = start + length - 1
        gram = Math.imul(gram ^ (at < 0 || at >= word.length ? SPACE : word.charCodeAt(at)), FNV_PRIME)
        if (length >= MIN_CHARS) add(gram, chars)
      }
    }
  }
  return { words, chars }
}

// The values of a request that go unjudged: fixed values, numbers, dates, ids, names of models, stop strings and sealed
// data, each in its own fields and only a bounded number of them.
import { isBlob } from './blobs.js'
import { FIXED_VALUES } from './fixed-values.js'
import { isId } from './identifiers.js'
import { isModelName } from './model-names.js'
import { KNOWN_KEYS, PROSE_KEYS } from './request-keys.js'
import { BLOBS_OF_TYPE, BLOBS_OF_VENDOR, ID_KEYS, MODEL_KEYS } from './special-keys.js'

// Many ids with one word each would spell a sentence, so only this many go unjudged in one request.
const MAX_IDS = 64
const MAX_NUMBERS = 8
const MAX_BLOBS = 128
const MAX_BLOB_CHARS = 512 * 1024

const NUMBER = /^[+-]?\d{1,20}(?:\.\d{1,20})?(?:ms|s|m|h)?$/
const DATE = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?)?$/
const MAX_STOP = 32

/** The place of a string in a request. */
export interface ValuePlace {
  /** The field that holds the string. */
  readonly key: string
  /** The field that holds the object of that field; undefined for a top-level setting. */
  readonly parentKey: string | undefined
  /** The value of `type` beside the string. */
  readonly type: unknown
  /** True within a top-level field, false within a message. */
  readonly top: boolean
}

/** Decides for one request, because the values that went unjudged are counted over all of it. */
export class UnjudgedValues {
  readonly #ids = new Set<string>()
  #numbers = 0
  #blobs = 0
  #blobChars = 0
  #freeBlobs = 0

  /** How many values of sealed or signed data went unjudged. */
  get blobs(): number {
    return this.#freeBlobs
  }

  /** True for a string that the closed list lets pass. */
  has(text: string, place: ValuePlace): boolean {
    const { key, parentKey, top } = place
    if (!KNOWN_KEYS.has(key) || PROSE_KEYS.has(key) || parentKey === 'variables') return this.#isBlob(text, place)
    if (FIXED_VALUES.has(text)) return true
    if (top && text.length <= 48 && NUMBER.test(text)) return (this.#numbers += 1) <= MAX_NUMBERS
    if (text.length <= 48 && DATE.test(text)) return this.#counts(text)
    const setting = top && parentKey === undefined
    if (setting && (key === 'stop' || key === 'stop_sequences')) return isStop(text) && this.#counts(text)
    if (setting && MODEL_KEYS.has(key)) return isModelName(text) && this.#counts(text)
    if (ID_KEYS.has(key)) return isId(text, !top) && this.#counts(text)
    return this.#isBlob(text, place)
  }

  #counts(id: string): boolean {
    return this.#ids.has(id) || this.#ids.add(id).size <= MAX_IDS
  }

  #isBlob(text: string, { key, parentKey, type, top }: ValuePlace): boolean {
    if (BLOBS_OF_TYPE.get(type)?.has(key) !== true && BLOBS_OF_VENDOR.get(parentKey ?? '')?.has(key) !== true)
      return false
    if (top) return false
    this.#blobs += 1
    this.#blobChars += text.length
    const free = this.#blobs <= MAX_BLOBS && this.#blobChars <= MAX_BLOB_CHARS && isBlob(text)
    if (free) this.#freeBlobs += 1
    return free
  }
}

/** True for a stop string of punctuation or markers. The model never sees stop strings. */
function isStop(text: string): boolean {
  const stop = text.length <= MAX_STOP * 2 ? text.trim() : text
  return stop.length <= MAX_STOP && /^[!-~]*$/.test(stop)
}

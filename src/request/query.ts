// The words in the url of a request: in its query, and in the parameters that a route takes from its path. A handler
// reads them as it reads the body.
import { isBlob } from '../dialects/kit/blobs.js'
import { isId } from '../dialects/kit/identifiers.js'
import { FIXED_VALUES } from '../dialects/kit/fixed-values.js'
import { KNOWN_KEYS } from '../dialects/kit/request-keys.js'
import { isModelName } from '../dialects/kit/model-names.js'
import { BUILT_IN } from '../dialects/index.js'
import type { GuardedRequest } from '../types.js'

/** Names of what clients of the APIs put into a url. */
const NAMES = new Set('api-version api_version version v beta key api_key api-key sig alt debug'.split(' '))
const VERSION = /^v?\d{1,4}(?:[.-]\d{1,4}){0,3}(?:-preview)?$/
const NUMBER = /^\d{1,4}$/
const FLAG = /^(?:sse|yes|no)?$/
/** Many numbers would spell a text, and many ids with one word each a sentence. */
const MAX_NUMBERS = 8
const MAX_IDS = 64

/** Names and values that no API's own client puts there, decoded, each once. */
export function queryTexts({ url = '', originalUrl = url }: GuardedRequest): readonly string[] {
  const words = new Set<string>()
  for (const each of new Set([originalUrl, url])) {
    const mark = each.indexOf('?')
    if (mark === -1) continue
    const fields = [...new URLSearchParams(each.slice(mark + 1))]
    const settings = new Settings(fields)
    for (const [name, value] of fields) {
      if (!KNOWN_KEYS.has(name) && !NAMES.has(name)) words.add(name)
      if (!settings.has(name, value)) words.add(value)
    }
  }
  words.delete('')
  return [...words]
}

/** Values that go unjudged, each kind only a bounded number of times in one url. */
class Settings {
  readonly #fewNumbers: boolean
  #ids = 0

  constructor(fields: readonly (readonly [string, string])[]) {
    const numbers = fields.filter(([name, value]) => isNumber(name, value)).flatMap(([, value]) => value.split(/\D+/))
    this.#fewNumbers = numbers.length <= MAX_NUMBERS
  }

  has(name: string, value: string): boolean {
    if (FLAG.test(value) || FIXED_VALUES.has(value)) return true
    if (isNumber(name, value)) return this.#fewNumbers
    if (name === 'model' && isModelName(value)) return true
    return (isId(value, true) || isBlob(value)) && (this.#ids += 1) <= MAX_IDS
  }
}

function isNumber(name: string, value: string): boolean {
  return NUMBER.test(value) || (NAMES.has(name) && VERSION.test(value))
}

/** Segments of the paths of APIs, which a route with a wildcard takes for its parameter. */
const PATH_WORDS = new Set(
  BUILT_IN.flatMap(({ paths }) => paths.flatMap((path) => path.split(/[/:]/))).concat(
    'v1beta',
    'v2',
    'openai',
    'deployments',
    'models',
  ),
)

const MODEL = /model|deployment/i

/** What a route has taken from the path, without names of models, ids and the words of the APIs' own paths. */
export function pathTexts({ params }: GuardedRequest & { readonly params?: unknown }): readonly string[] {
  if (typeof params !== 'object' || params === null) return []
  const values = Object.entries(params).flatMap(([name, taken]: [string, unknown]) => {
    // Express 5 gives a wildcard's segments as a list.
    const value = Array.isArray(taken) ? taken.join('/') : taken
    return typeof value === 'string' ? [{ value, parts: partsOf(name, value) }] : []
  })
  const settings = new Settings(values.flatMap(({ parts }) => parts))
  return values
    .filter(({ parts }) => parts.some(([name, part]) => !PATH_WORDS.has(part) && !settings.has(name, part)))
    .map(({ value }) => value)
}

/** The segments of a parameter, each under the name `model` where a model is named. */
function partsOf(name: string, value: string): readonly (readonly [string, string])[] {
  const parts = value.split(/[/:]/)
  return parts.map((part, at) => [MODEL.test(parts[at - 1] ?? '') || MODEL.test(name) ? 'model' : name, part])
}

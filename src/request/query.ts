// The words in the query of a chat's url. A handler reads them as it reads the body.
import { isBlob } from '../dialects/kit/blobs.js'
import { isId } from '../dialects/kit/identifiers.js'
import { FIXED_VALUES } from '../dialects/kit/fixed-values.js'
import { KNOWN_KEYS } from '../dialects/kit/request-keys.js'
import { isModelName } from '../dialects/kit/model-names.js'
import type { GuardedRequest } from '../types.js'

/** Names of what clients of the APIs put into a url. */
const NAMES = new Set('api-version api_version version v beta key api_key api-key sig alt debug'.split(' '))
const VERSION = /^(?:v?\d{1,4}(?:[.-]\d{1,4}){0,3}(?:-preview)?|sse|yes|no)?$/

/** Names and values that no API's own client puts there, decoded, each once. */
export function queryTexts({ url = '', originalUrl = url }: GuardedRequest): readonly string[] {
  const words = new Set<string>()
  for (const each of new Set([originalUrl, url])) {
    const mark = each.indexOf('?')
    if (mark === -1) continue
    for (const [name, value] of new URLSearchParams(each.slice(mark + 1))) {
      if (!KNOWN_KEYS.has(name) && !NAMES.has(name)) words.add(name)
      if (!isSetting(name, value)) words.add(value)
    }
  }
  words.delete('')
  return [...words]
}

function isSetting(name: string, value: string): boolean {
  if (VERSION.test(value) || FIXED_VALUES.has(value) || isId(value, true) || isBlob(value)) return true
  return name === 'model' && isModelName(value)
}

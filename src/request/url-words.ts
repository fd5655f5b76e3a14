// The words in the url of a request: in its query, and in its path. A handler reads them as it reads the body.
import { isShort, isId } from '../dialects/kit/walk.js'
import { KNOWN_KEYS } from '../dialects/kit/request-keys.js'
import { BUILT_IN } from '../dialects/index.js'
import type { GuardedRequest } from '../types.js'

/** Names of settings in urls of the APIs. */
const NAMES = new Set(
  'api-version api_version version v beta key api_key api-key sig alt debug after limit order stream model'.split(' '),
)
const NUMBER = /^-?\d{1,15}(?:\.\d{1,15})?$/
const MAX_IDS = 16

/** Segments of the paths of APIs. */
const PATH_WORDS = new Set(
  BUILT_IN.flatMap(({ paths }) => paths.flatMap((path) => path.toLowerCase().split(/[/:]/))).concat([
    'v1beta',
    'openai',
    'deployments',
    'models',
    'mcp',
    'runs',
    'state',
    'history',
    'join',
    'items',
    '',
  ]),
)

/** Where a path is judged: the parameters that a route took from it, or all of it where nobody says what they are. */
export type PathPlace = 'parameters' | 'whole' | 'none'

/** What the url says, each text once. */
export function urlTexts(req: GuardedRequest & { readonly params?: unknown }, place: PathPlace): readonly string[] {
  const texts = new Set<string>()
  let ids = 0
  const isFree = (name: string, value: string): boolean =>
    value === '' ||
    NUMBER.test(value) ||
    value === 'true' ||
    value === 'false' ||
    (NAMES.has(name) && isShort(value)) ||
    (isId(name, value) && (ids += 1) <= MAX_IDS)
  const { url = '', originalUrl = url } = req
  for (const each of new Set([originalUrl, url])) {
    const mark = each.indexOf('?')
    for (const [name, value] of new URLSearchParams(mark === -1 ? '' : each.slice(mark + 1))) {
      if (name !== '' && !KNOWN_KEYS.has(name) && !NAMES.has(name)) texts.add(name)
      if (!isFree(name, value)) texts.add(value)
    }
  }
  for (const [name, value] of placesOf(req, place)) {
    const segments = value.split(/[/:]/)
    const free = segments.every((segment, at) => {
      const isModel = /^(?:model|deployment)s?$/i.test(segments[at - 1] ?? name)
      return PATH_WORDS.has(segment.toLowerCase()) || isFree(isModel ? 'model' : name, segment)
    })
    if (!free) texts.add(value)
  }
  return [...texts]
}

/** Each parameter, or the path as one whose segments may be ids. */
function placesOf(
  { originalUrl, url = '', params }: GuardedRequest & { readonly params?: unknown },
  place: PathPlace,
): readonly (readonly [string, string])[] {
  if (place === 'none') return []
  if (place === 'parameters' && typeof params === 'object' && params !== null)
    // Express 5 gives a wildcard's segments as a list.
    return Object.entries(params).map(([name, taken]: [string, unknown]) => [
      name,
      Array.isArray(taken) ? taken.join('/') : typeof taken === 'string' ? taken : '',
    ])
  const [path = ''] = (originalUrl ?? url).split(/[?#]/, 1)
  return [['id', path.split('/').map(decodedSegment).join('/')]]
}

function decodedSegment(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}

// The url of a request: its path in the one form in which paths are compared, and the words in its path and query,
// which a handler reads as it reads the body.
import type { ChatRequest } from '../dialects/dialect.js'
import { BUILT_IN } from '../dialects/index.js'
import { KNOWN_KEYS } from '../dialects/kit/request-keys.js'
import { FreeIds, isShort } from '../dialects/kit/request-texts.js'
import { invalidOption, type LlamaGuardError } from '../types/errors.js'
import type { GuardedRequest } from '../types.js'

const MAX_DECODES = 3

/** A path that all servers read in the same way, except for its case. */
const PLAIN = /^(?:\/[\w-]+)+$/

/** A request's paths in the one form: what the client sent, what was made of it, and the place of the mount. */
export type Paths = readonly string[]

export function pathsOf(req: GuardedRequest & { readonly baseUrl?: string }): Paths {
  const { url = '/', originalUrl = url, baseUrl = '' } = req
  const paths = new Set<string>()
  for (const each of new Set([originalUrl, baseUrl + url, baseUrl, url])) {
    if (each === '') continue
    // `//host/path` is `/path` to new URL(req.url, base).
    for (const reading of new Set([each, each.replace(/^[\\/]{2}[^\\/?#]*/, '')])) {
      paths.add(plainPath(reading))
      if (/[.%]/.test(reading)) paths.add(plainPath(reading, false))
    }
  }
  // An encoded question mark ends the path for a server that decodes first.
  for (const path of [...paths]) if (/[?#]/.test(path)) paths.add(plainPath(path))
  return [...paths]
}

/** The path in lower case, without query, encoding, path parameters, empty segments and trailing slash. */
export function plainPath(url: string, resolved = true): string {
  if (PLAIN.test(url)) return url.toLowerCase()
  let path = url.replace(/^[a-z][a-z0-9+.-]{0,40}:[\\/]{2}[^\\/?#]*/i, '').split(/[?#]/, 1)[0]!
  for (let round = 0; round < MAX_DECODES && path.includes('%'); round += 1) path = decode(path)
  const segments: string[] = []
  for (const raw of path.replaceAll('\\', '/').split('/')) {
    const segment = raw.split(/[;\0]/, 1)[0]!.trim()
    if (resolved && segment === '..') segments.pop()
    else if (segment !== '' && !(resolved && segment === '.')) segments.push(segment)
  }
  return `/${segments.join('/')}`.toLowerCase()
}

function decode(path: string): string {
  return path.replace(/(?:%[0-9a-f]{2})+/gi, (escapes) => {
    try {
      return decodeURIComponent(escapes)
    } catch {
      // One bad escape must not keep the good escapes encoded.
      return escapes.replace(/(?:%[0-7][0-9a-f])+/gi, decodeURIComponent)
    }
  })
}

type PathPattern = (path: string) => boolean

/**
 * True for paths that end like this. A `*` stands for anything. With a colon the ending begins within a segment, as in
 * `models/gemini-2.5-pro:generateContent`.
 */
export function pathEnding(ending: string): PathPattern {
  const plain = ending.startsWith(':') || ending.includes('*') ? ending.toLowerCase() : plainPath(ending)
  const [last, ...others] = plain.split('*').reverse()
  return (path) => {
    if (!path.endsWith(last!)) return false
    let end = path.length - last!.length
    return others.every((part) => (end = path.slice(0, end).lastIndexOf(part)) !== -1)
  }
}

/** An entry of the option `paths`. */
interface GuardedPath {
  readonly matches: PathPattern
  /** True for a prefix, behind which the client chooses the path. */
  readonly open: boolean
}

/**
 * Compiles an exact path, or a prefix ending in `*`.
 * @throws LlamaGuardError `invalid_option` for an entry without a leading slash.
 */
export function guardedPath(entry: string): GuardedPath {
  const wrong = (what: string): LlamaGuardError =>
    invalidOption(`The path ${JSON.stringify(entry)} in \`paths\` ${what}.`)
  if (typeof entry !== 'string' || !entry.startsWith('/'))
    throw wrong('does not start with a slash; write it as in "/v1/chat/completions" or "/v1/*"')
  // A query after the path named parameters. All of them are judged.
  const [path = ''] = entry.split('?', 1)
  const better = JSON.stringify(`${path.replace(/\/(?:\*|:).*$/, '')}/*`)
  if (/\*.|\/:/.test(path))
    throw wrong(
      `has a pattern inside it, which would match nothing. A path is exact, or a prefix that ends in *: write ${better}`,
    )
  const prefix = plainPath(path.replace(/\*$/, ''))
  if (!path.endsWith('*')) return { open: false, matches: (each) => each === prefix }
  // `/v1/*` matches `/v1` and everything below it. `/v1*` also matches `/v10`.
  const below = path.endsWith('/*') && prefix !== '/' ? `${prefix}/` : prefix
  return { open: true, matches: (each) => each === prefix || each.startsWith(below) }
}

/** Names of settings in urls of the APIs. */
const SETTING = /^(?:api[-_]version|version|v|beta|key|api[-_]key|sig|alt|debug|after|limit|order|stream|model)$/
/** What has no words. */
const WORDLESS = /^(?:-?\d{1,15}(?:\.\d{1,15})?|true|false|)$/

/** Segments of the paths of APIs. */
const PATH_WORDS = new Set([
  ...BUILT_IN.flatMap(({ paths }) => paths.flatMap((path) => path.toLowerCase().split(/[/:]/))),
  ...'v1beta openai deployments models mcp runs state history join items'.split(' '),
])

/** Where a path is judged: the parameters that a route took from it, or all of it where nobody says what they are. */
type PathPlace = 'parameters' | 'whole' | 'none'

/** What the url says, each text once. */
export function urlTexts(
  req: GuardedRequest & { readonly params?: unknown },
  place: PathPlace,
  ids: ChatRequest['ids'] = new FreeIds(),
): readonly string[] {
  const texts = new Set<string>()
  const isFree = (name: string, value: string): boolean =>
    WORDLESS.test(value) || (SETTING.test(name) && isShort(value)) || ids.has(name, value)
  const { url = '', originalUrl = url } = req
  for (const each of new Set([originalUrl, url]))
    for (const [name, value] of new URLSearchParams(each.includes('?') ? each.slice(each.indexOf('?')) : '')) {
      if (name !== '' && !KNOWN_KEYS.has(name) && !SETTING.test(name)) texts.add(name)
      if (!isFree(name, value)) texts.add(value)
    }
  for (const [name, value] of placesOf(req, place)) {
    const segments = value.split(/[/:]/)
    const free = segments.every((segment, at) => {
      const holder = /^(?:model|deployment)s?$/i.test(segments[at - 1] ?? name) ? 'model' : name
      return PATH_WORDS.has(segment.toLowerCase()) || isFree(holder, segment)
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
  if (place === 'whole' || typeof params !== 'object' || params === null)
    return [['id', decode((originalUrl ?? url).split(/[?#]/, 1)[0]!)]]
  // Express 5 gives a wildcard's segments as a list.
  return Object.entries(params).map(([name, taken]: [string, unknown]) => [
    name,
    Array.isArray(taken) ? taken.join('/') : typeof taken === 'string' ? taken : '',
  ])
}

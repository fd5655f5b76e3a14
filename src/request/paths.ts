// The readings of a request's path. Routers, proxies and servers disagree on case, double slashes, dot segments,
// percent-encoding, backslashes and path parameters. A path that any of them reads as guarded is guarded.
import { LlamaGuardError } from '../errors.js'
import type { GuardedRequest } from '../types.js'

const MAX_DECODES = 3

/** A path that all servers read in the same way, except for its case. */
const PLAIN = /^(?:\/[\w-]+)+$/

type Dots = 'resolved' | 'resolved first' | 'kept'
const DOTS: readonly Dots[] = ['resolved', 'resolved first', 'kept']

/** A request's path in every reading, each in the form of {@link plainPath}. */
export type PathReadings = readonly string[]

/**
 * The readings of three URLs: the one the client sent, the one that an earlier middleware may have rewritten, and the
 * one relative to the mount point.
 */
export function pathReadings(req: GuardedRequest & { readonly baseUrl?: string }): PathReadings {
  const { url = '/', originalUrl, baseUrl = '' } = req
  const readings = new Set<string>()
  addReadings(originalUrl ?? url, readings)
  if (baseUrl !== '') addReadings(baseUrl + url, readings)
  if (url !== originalUrl) addReadings(url, readings)
  return [...readings]
}

/** The path in lower case, without query, encoding, path parameters, empty or dot segments, and trailing slash. */
export function plainPath(url: string): string {
  return PLAIN.test(url) ? url.toLowerCase() : joined(before(withoutOrigin(url), /[?#]/), 'resolved')
}

function addReadings(url: string, readings: Set<string>): void {
  if (PLAIN.test(url)) return void readings.add(url.toLowerCase())
  for (const target of new Set([url, withoutOrigin(url), withoutHost(url)])) {
    for (const cut of [/[?#]/, /\?/]) {
      let path = before(target, cut)
      for (let round = 0; ; round += 1) {
        for (const dots of DOTS) readings.add(joined(path, dots, false))
        if (round === MAX_DECODES || !path.includes('%')) break
        path = decode(path)
        // For one server an encoded question mark is part of the path; for another server behind it, the path ends
        // there.
        for (const dots of DOTS) readings.add(joined(before(path, cut), dots, false))
      }
    }
  }
}

/** `http://host/path`, which proxies send, as `/path`. */
function withoutOrigin(url: string): string {
  return url.replace(/^[a-z][a-z0-9+.-]{0,40}:[\\/]{2}[^\\/?#]*/i, '')
}

/** `//host/path` as `/path`, as `new URL(req.url, base)` reads it. */
function withoutHost(url: string): string {
  return url.replace(/^[\\/]{2}[^\\/?#]*/, '')
}

function before(text: string, mark: RegExp): string {
  const at = text.search(mark)
  return at === -1 ? text : text.slice(0, at)
}

/** Joins the segments. With `decoded`, percent-encoding is undone first. */
function joined(text: string, dots: Dots, decoded = true): string {
  let path = text
  for (let round = 0; decoded && round < MAX_DECODES && path.includes('%'); round += 1) path = decode(path)
  const segments: string[] = []
  for (const raw of path.replaceAll('\\', '/').split('/')) {
    // Some servers drop path parameters (`;v=1`), everything after a NUL, and white space at the ends.
    const segment = before(raw, /[;\0]/).trim()
    // A path parameter hides dots (`..;`) from a server that resolves dots first.
    const parent = dots === 'kept' ? false : (dots === 'resolved' ? segment : raw) === '..'
    // `/a//../b` is `/a/b` for a server that counts the empty segment, and `/b` for one that does not.
    if (parent) segments.pop()
    else if (dots === 'resolved first' ? raw !== '.' : segment !== '' && (dots === 'kept' || segment !== '.'))
      segments.push(segment)
  }
  return `/${segments.filter((segment) => segment !== '').join('/')}`.toLowerCase()
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

export type PathPattern = (path: string) => boolean

/**
 * Compiles an exact path, or a prefix ending in `*`.
 * @throws LlamaGuardError `invalid_option` for a pattern without a leading slash.
 */
export function pathPattern(pattern: string): PathPattern {
  if (typeof pattern !== 'string' || !pattern.startsWith('/')) {
    throw new LlamaGuardError(
      'invalid_option',
      'A path in `paths` does not start with a slash; write it as in "/v1/chat/completions" or "/v1/*".',
    )
  }
  if (!pattern.endsWith('*')) {
    const exact = plainPath(pattern)
    return (path) => path === exact
  }
  const open = pattern.slice(0, -1)
  // `/v1/*` matches `/v1` and everything below it. `/v1*` also matches `/v10`.
  const prefix = plainPath(open)
  if (prefix === '/') return () => true
  return open.endsWith('/')
    ? (path) => path === prefix || path.startsWith(`${prefix}/`)
    : (path) => path.startsWith(prefix)
}

/** An entry of the option `paths`. */
export interface GuardedPlace {
  readonly matches: PathPattern
  /** The query parameters that hold the user's words; empty when none do. */
  readonly parameters: readonly string[]
}

/** @throws LlamaGuardError `invalid_option` for an entry that is no path. */
export function guardedPlace(entry: string): GuardedPlace {
  const [path = '', query] = typeof entry === 'string' ? entry.split('?', 2) : [entry]
  return {
    matches: pathPattern(path),
    parameters: query === undefined ? [] : query.split('&').filter((name) => name !== ''),
  }
}

/**
 * The words of a request without a body, from the parameters that `paths` names.
 * @throws LlamaGuardError `unreadable_request` when no parameter is named or given, because the words of the request
 * would be unseen.
 */
export function queryWords(req: GuardedRequest, places: readonly GuardedPlace[]): Record<string, string[]> {
  const query = queryOf(req)
  const named = new Set(places.flatMap(({ parameters }) => parameters))
  if (![...named].some((name) => query[name]?.some((text) => text.trim() !== '')))
    throw new LlamaGuardError(
      'unreadable_request',
      'A guarded path was asked with a method that has no body, and no query parameter that `paths` names for it ' +
        '(as in "/events?message"); send its words in a body, or in such a parameter.',
    )
  // The handler may read the other parameters too, so all of them are judged.
  return query
}

/** Every value of every query parameter. */
export function queryOf(req: GuardedRequest): Record<string, string[]> {
  const url = req.originalUrl ?? req.url ?? ''
  const words: Record<string, string[]> = Object.create(null) as Record<string, string[]>
  for (const [name, text] of new URLSearchParams(url.includes('?') ? url.slice(url.indexOf('?') + 1) : ''))
    (words[name] ??= []).push(text)
  return words
}

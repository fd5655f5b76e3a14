// Who may see the dashboard. Without a token: this machine alone, told by the address of the connection, because
// headers say what their sender likes. With one: whoever has it, in an Authorization header or in the form's cookie.
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { BlockList, isIPv4 } from 'node:net'

/** `sign-in`: the token is missing or wrong. `away`: no token is set, and the request may not be of this machine. */
export type Access = 'open' | 'sign-in' | 'away'

const COOKIE = 'llama_guard_dashboard'
/** How long a sign-in holds. */
const SESSION_MS = 12 * 60 * 60 * 1000

const LOOPBACK = new BlockList()
LOOPBACK.addSubnet('127.0.0.0', 8)
LOOPBACK.addAddress('::1', 'ipv6')
/** A page of another site can make its own name resolve to this machine, but cannot change the Host header. */
const LOCAL_HOST = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/i
/** Whoever comes through a proxy on this machine comes from elsewhere. */
const FORWARDED = /^(?:forwarded|via|x-forwarded-.*|x-real-ip|x-client-ip|true-client-ip|cf-connecting-ip)$/

export function accessOf(req: IncomingMessage, token: string | undefined): Access {
  if (token === undefined) return isLocal(req) ? 'open' : 'away'
  const [, bearer] = /^Bearer +(\S.*)$/i.exec(req.headers.authorization ?? '') ?? []
  if (bearer !== undefined && isToken(bearer.trimEnd(), token)) return 'open'
  return cookiesOf(req).some((value) => isSession(value, token)) ? 'open' : 'sign-in'
}

function isLocal({ socket, headers }: IncomingMessage): boolean {
  const address = (socket.remoteAddress ?? '').replace(/^::ffff:/i, '')
  return (
    LOOPBACK.check(address, isIPv4(address) ? 'ipv4' : 'ipv6') &&
    LOCAL_HOST.test(hostOf(headers)) &&
    !Object.keys(headers).some((name) => FORWARDED.test(name))
  )
}

const hostOf = (headers: IncomingMessage['headers']): string => headers.host ?? String(headers[':authority'] ?? '')

/** False when a page of another origin sends the request. Programs that are no browser say nothing, and may pass. */
export function isSameOrigin({ headers }: IncomingMessage): boolean {
  const site = headers['sec-fetch-site']
  if (site !== undefined) return site === 'same-origin'
  const { origin } = headers
  return origin === undefined || (URL.canParse(origin) && new URL(origin).host === hostOf(headers).toLowerCase())
}

/** Hashes have one length, so that the comparison takes the same time whatever was sent. */
export function isToken(given: string, token: string): boolean {
  return timingSafeEqual(digest(given), digest(token))
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

/** The cookie that a right token is exchanged for. It does not hold the token, and ends by itself. */
export function sessionCookie(req: IncomingMessage, token: string): string {
  const until = (Date.now() + SESSION_MS).toString(36)
  const secure = 'encrypted' in req.socket || req.headers.origin?.startsWith('https:') === true
  return (
    `${COOKIE}=${until}.${sealOf(until, token)}; HttpOnly; SameSite=Strict; Max-Age=${SESSION_MS / 1000}` +
    (secure ? '; Secure' : '')
  )
}

function isSession(value: string, token: string): boolean {
  const [until = '', seal = ''] = value.split('.')
  return isToken(seal, sealOf(until, token)) && Number.parseInt(until, 36) > Date.now()
}

function sealOf(until: string, token: string): string {
  return createHmac('sha256', token).update(`express-llama-guard dashboard until ${until}`).digest('base64url')
}

function cookiesOf({ headers }: IncomingMessage): readonly string[] {
  return (headers.cookie ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${COOKIE}=`))
    .map((pair) => pair.slice(COOKIE.length + 1))
}

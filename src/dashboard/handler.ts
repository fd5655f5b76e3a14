// Answers the requests of the dashboard. All of it lies at one path, told apart by query, so that it works wherever it
// is mounted: with a slash at the end or without, and behind proxies that take a prefix away.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { toLlamaGuardError } from '../types/errors.js'
import type { LiveServices } from '../services/live.js'
import { readBody } from '../request/body/index.js'
import type { GuardedRequest } from '../types.js'
import { isObject } from '../utils/json.js'
import { accessOf, isSameOrigin, isToken, sessionCookie } from './access.js'
import { Counters, snapshotOf } from './snapshot.js'
import { createPages, MOST_PAGES } from './pages.js'
import icon from './page/icon.svg?raw'
import pageScript from './page/page.js?raw'
import page from './page/page.html?raw'
import playgroundScript from './page/playground.js?raw'
import signInPage from './page/sign-in.html?raw'
import style from './page/style.css?raw'
import { createPlayground, playgroundGuards } from './playground.js'
import { problem, send } from './replies.js'
import type { DashboardSettings } from './settings.js'

export interface Handler {
  answer(req: GuardedRequest, res: ServerResponse): Promise<void> | void
  close(): void
}

type Answer = (req: GuardedRequest, res: ServerResponse) => Promise<void> | void

/** Bytes of a sign-in form. */
const MOST_FORM_BYTES = 8 * 1024
const HTML = 'text/html; charset=utf-8'
const SCRIPT = 'text/javascript; charset=utf-8'
const WRONG_TOKEN_PAGE = signInPage
  .replace(' id="wrong" hidden', ' id="wrong"')
  .replace('autofocus', 'autofocus aria-invalid="true"')
const PUBLIC: readonly string[] = ['style.css', 'icon.svg', 'session']

export function createHandler(live: LiveServices, { token, playground: asked }: DashboardSettings): Handler {
  const counters = new Counters((id) => live.current.categories.some((category) => category.id === id))
  const stopCounting = counters.start()
  const playground = asked ? createPlayground(live) : undefined
  const pages = createPages(() => {
    const { model, config, categories } = live.current
    const offered = playground && playgroundGuards(live.current).map(({ id, name }) => ({ id, name }))
    return snapshotOf(counters, { model, mode: config.mode, offered, categories })
  })
  let closed = false

  const events: Answer = (req, res) => {
    if (!isSameOrigin(req)) return otherOrigin(res)
    if (pages.full()) {
      const words = `${MOST_PAGES} dashboards are open already. Close one, or try again later.`
      return problem(res, 503, { code: 'too_many_pages', message: words }, { 'retry-after': '10' })
    }
    const headers = { 'cache-control': 'no-store, no-transform', 'x-accel-buffering': 'no' }
    const asksHeadOnly = req.method === 'HEAD'
    send(res, 200, { type: 'text/event-stream; charset=utf-8', body: asksHeadOnly ? '' : undefined, headers })
    if (!asksHeadOnly) pages.add(res)
  }
  const signIn: Answer = async (req, res) => {
    if (token === undefined)
      return problem(res, 404, { code: 'no_token', message: 'No token is set, so there is nothing to sign in to.' })
    if (!isSameOrigin(req)) return otherOrigin(res)
    if (!isToken(await tokenIn(req), token)) return unauthorised(res, WRONG_TOKEN_PAGE)
    send(res, 303, {
      type: 'text/plain; charset=utf-8',
      body: 'Signed in.\n',
      headers: { location: '?', 'set-cookie': sessionCookie(req, token) },
    })
  }
  const judge: Answer = (req, res) => (isSameOrigin(req) ? playground?.(req, res) : otherOrigin(res))

  const routes: Readonly<Record<string, Readonly<Record<string, Answer>>>> = {
    '': { GET: file(HTML, page) },
    'style.css': { GET: file('text/css; charset=utf-8', style) },
    'icon.svg': { GET: file('image/svg+xml', icon) },
    'page.js': { GET: file(SCRIPT, pageScript) },
    events: { GET: events },
    session: { POST: signIn },
    ...(playground && { 'playground.js': { GET: file(SCRIPT, playgroundScript) }, playground: { POST: judge } }),
  }

  return {
    async answer(req, res) {
      if (closed)
        return problem(res, 503, { code: 'closed', message: 'The dashboard has been closed.' }, { 'retry-after': '10' })
      // After a wrong token the address is that of the form's answer.
      const name = req.method === 'GET' && nameOf(req) === 'session' ? '' : nameOf(req)
      const route = Object.hasOwn(routes, name) ? routes[name]! : routes['']!
      const access = accessOf(req, token)
      if (access === 'away') return problem(res, 403, { code: 'not_this_machine', message: AWAY })
      if (access === 'sign-in' && !PUBLIC.includes(name))
        return name === '' ? unauthorised(res, signInPage) : unauthorised(res)
      const answer = route[req.method === 'HEAD' ? 'GET' : (req.method ?? '')]
      if (answer === undefined) {
        const allow = Object.keys(route).join(', ')
        return problem(res, 405, { code: 'method_not_allowed', message: `This takes ${allow}.` }, { allow })
      }
      if (req.llamaGuard !== undefined) return problem(res, 409, { code: 'mounted_after_guard', message: MOUNT_BEFORE })
      try {
        await answer(req, res)
      } catch (error) {
        const { status, code, message } = toLlamaGuardError(error)
        problem(res, status, { code, message })
      }
    },
    close() {
      closed = true
      stopCounting()
      pages.close()
    },
  }
}

const AWAY =
  'This dashboard is open to this machine alone, asked for by localhost or a loopback address, and not through a ' +
  'proxy. To let others in, set a token: the option token of guard.dashboard(), or LLAMA_GUARD_DASHBOARD_TOKEN.'

const MOUNT_BEFORE =
  "The app's guard judged this request before the dashboard had it. Mount guard.dashboard() before the guard: " +
  "app.use('/guard', guard.dashboard()), then app.use(guard)."

/** The query names what is wanted. Some proxies write `?events` as `?events=`. */
function nameOf({ url = '' }: IncomingMessage): string {
  const at = url.indexOf('?')
  return at < 0 ? '' : url.slice(at + 1).replace(/=$/, '')
}

const file =
  (type: string, words: string): Answer =>
  (_, res) =>
    send(res, 200, { type, body: words })

function unauthorised(res: ServerResponse, page?: string): void {
  const headers = { 'www-authenticate': 'Bearer realm="express-llama-guard dashboard"' }
  if (page !== undefined) return send(res, 401, { type: HTML, body: page, headers })
  problem(
    res,
    401,
    { code: 'token_needed', message: 'Send the token as Authorization: Bearer, or sign in on the page.' },
    headers,
  )
}

function otherOrigin(res: ServerResponse): void {
  problem(res, 403, {
    code: 'other_origin',
    message: 'A page of another origin sent this request. The dashboard answers its own page.',
  })
}

/** The token of a sent form, whether or not a parser ran before. */
async function tokenIn(req: GuardedRequest): Promise<string> {
  const body = await readBody(req, { limit: MOST_FORM_BYTES })
  const given = body.kind === 'read' && isObject(body.value) ? body.value['token'] : undefined
  return typeof given === 'string' ? given.trim() : ''
}

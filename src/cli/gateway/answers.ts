// What the gateway itself answers, in the form of OpenAI's errors where it is one.
import type { ServerResponse } from 'node:http'
import type { LlamaGuardError } from '../../errors.js'
import { plainDialect } from '../../response/refusal.js'

export function json(res: ServerResponse, status: number, body: unknown): void {
  res.statusCode = status
  res.setHeader('content-type', 'application/json; charset=utf-8')
  res.setHeader('cache-control', 'no-store')
  res.end(JSON.stringify(body))
}

export function refuse(res: ServerResponse, error: LlamaGuardError): void {
  // Half of the reply has been sent. Only a broken connection tells the client that it is incomplete.
  if (res.headersSent) return void res.destroy()
  if (error.retryAfter !== undefined) res.setHeader('retry-after', String(error.retryAfter))
  const { status, message, code } = error
  const type = error.clientFault
    ? 'invalid_request_error'
    : code === 'upstream_unavailable'
      ? 'server_error'
      : 'guard_unavailable'
  json(res, status, plainDialect.refusal({ stage: 'input', status, message, type, code, requestId: '' }))
}

export function notFound(res: ServerResponse, paths: readonly string[]): void {
  wrongRequest(res, 404, 'not_found', `There is no such path here. Served are ${paths.join(', ')}.`)
}

export function wrongMethod(res: ServerResponse, methods: readonly string[]): void {
  res.setHeader('allow', methods.join(', '))
  wrongRequest(res, 405, 'method_not_allowed', `This path takes ${methods.join(', ')}.`)
}

function wrongRequest(res: ServerResponse, status: number, code: string, message: string): void {
  json(res, status, { error: { message, type: 'invalid_request_error', code, param: null } })
}

// Which requests AWS lets through to the container: those with a good signature, for an endpoint that exists.
import type { IncomingMessage } from 'node:http'
import { serviceError, validationError } from './aws-errors.js'
import type { AwsError } from './aws-errors.js'
import { checkCredential } from './credentials.js'
import type { EmulatorOptions } from './types.js'

/** The endpoint's name in a path; empty for any other path. */
export function endpointOf(url: string | undefined): string {
  return decodeURIComponent(/^\/endpoints\/([^/]+)\/invocations$/.exec(url ?? '')?.[1] ?? '')
}

/** What AWS says against a request; undefined for one that reaches its endpoint. `now`: the time on its clock. */
export async function refusalOf(
  request: IncomingMessage,
  raw: string,
  now: number,
  endpoints: readonly string[],
  { checkSignature, clock }: EmulatorOptions,
): Promise<AwsError | undefined> {
  const forged = checkSignature
    ? await checkSignature(request, raw, now)
    : checkCredential(request.headers.authorization)
  if (forged) return clock?.error === undefined ? forged : { ...forged, name: clock.error }
  return wrongAddress(request.method, endpointOf(request.url), endpoints)
}

function wrongAddress(
  method: string | undefined,
  endpoint: string,
  endpoints: readonly string[],
): AwsError | undefined {
  if (method !== 'POST' || endpoint === '') return serviceError(404, 'UnknownOperationException', 'Unknown operation')
  return endpoints.includes(endpoint)
    ? undefined
    : validationError(`Endpoint ${endpoint} of account 123456789012 not found.`)
}

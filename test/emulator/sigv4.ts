// Checks a request's AWS signature by signing it again with the same library AWS's own SDK uses and comparing.
// Without it a client that signs nothing, or the wrong thing, would pass every test here and fail on AWS.
import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { Sha256 } from '@aws-crypto/sha256-js'
import { SignatureV4 } from '@smithy/signature-v4'
import { BAD_SIGNATURE, type AwsError, serviceError, UNKNOWN_KEY } from './aws-errors.js'
import { CREDENTIALS, REGION } from '../../src/testing/aws.js'

export { CREDENTIALS, REGION }

const MAX_SKEW_MS = 5 * 60_000

/** The AWS error a wrong signature gets, or undefined when it is right. */
export async function checkSignature(
  request: IncomingMessage,
  body: string,
  now = Date.now(),
  wanted = 'sagemaker',
): Promise<AwsError | undefined> {
  const header = request.headers.authorization
  const refused = checkCredential(header, wanted)
  if (refused) return refused
  const [, , , , , signed = '', signature = ''] = SIGV4.exec(header ?? '') ?? []

  const names = signed.split(';')
  const headers: Record<string, string> = {}
  for (const name of names) headers[name] = String(request.headers[name] ?? '')
  const date = dateOf(String(request.headers['x-amz-date'] ?? ''))
  const hash = request.headers['x-amz-content-sha256']
  if (date === undefined || Math.abs(now - date.getTime()) > MAX_SKEW_MS || !names.includes('host'))
    return BAD_SIGNATURE
  if (hash !== undefined && hash !== createHash('sha256').update(body).digest('hex')) return BAD_SIGNATURE

  const url = new URL(request.url ?? '/', `http://${request.headers.host}`)
  const signer = new SignatureV4({
    credentials: CREDENTIALS,
    region: REGION,
    service: wanted,
    sha256: Sha256,
    applyChecksum: false,
  })
  const again = await signer.sign(
    {
      method: request.method ?? '',
      protocol: 'http:',
      hostname: url.hostname,
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      headers,
      body,
    },
    { signingDate: date, signableHeaders: new Set(names) },
  )
  const right = SIGV4.exec(String(again.headers['authorization']))?.[6] ?? ''
  return right.length === 64 && timingSafeEqual(Buffer.from(right), Buffer.from(signature)) ? undefined : BAD_SIGNATURE
}

function dateOf(long: string): Date | undefined {
  const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(long)
  return parts ? new Date(`${parts[1]}-${parts[2]}-${parts[3]}T${parts[4]}:${parts[5]}:${parts[6]}Z`) : undefined
}

/** An `authorization` header of Signature Version 4: key, date, region, service, signed headers, signature. */
const SIGV4 =
  /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/

/** The AWS error for a header that is absent, malformed, or of another key, region or service; else undefined. */
function checkCredential(authorization: string | undefined, wanted: string): AwsError | undefined {
  if (authorization === undefined)
    return serviceError(403, 'MissingAuthenticationTokenException', 'Missing Authentication Token')
  const [header, key, , region = '', service] = SIGV4.exec(authorization) ?? []
  if (header === undefined) return BAD_SIGNATURE
  if (key !== CREDENTIALS.accessKeyId) return UNKNOWN_KEY
  if (region !== REGION)
    return serviceError(
      403,
      'InvalidSignatureException',
      `Credential should be scoped to a valid region, not '${region}'. `,
    )
  return service === wanted ? undefined : BAD_SIGNATURE
}

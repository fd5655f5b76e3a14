// Signature Version 4 for requests that differ in body and time alone: all that the body does not change is
// worked out once a second.
// The SDK's signer is the judge: ours is used only after it made the very signature that the SDK's made of
// the same request.
import { createHmac, hash } from 'node:crypto'
import type { HttpRequest } from './http-handler.js'

export interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string | undefined
}

/** Headers to send with this body, or undefined when only the SDK's signer can tell. */
export type Sign = (
  body: string | Uint8Array,
  credentials: Credentials,
  date: Date,
) => Record<string, string> | undefined

/** What requests of one second and one key have in common. */
interface Moment {
  readonly second: number
  readonly credentials: Credentials
  /** The canonical request, cut where the body's digest stands. */
  readonly canonical: readonly string[]
  readonly toSign: string
  readonly key: Buffer
  readonly authorization: string
  readonly headers: Readonly<Record<string, string>>
}

/** No header can hold it. */
const DIGEST = '\0'

/**
 * `signed` is what the SDK's signer made of `request` (whose body it keeps) at `date`. Undefined when ours
 * would differ from it.
 */
export function signLike(
  request: HttpRequest,
  signed: HttpRequest,
  credentials: Credentials,
  date: Date,
): Sign | undefined {
  const [, region, service, list] =
    /^AWS4-HMAC-SHA256 Credential=[^/]+\/\d{8}\/([^/]+)\/([^/]+)\/aws4_request, ?SignedHeaders=([^,]+),/.exec(
      signed.headers['authorization'] ?? '',
    ) ?? []
  if (
    region === undefined ||
    service === undefined ||
    list === undefined ||
    Object.keys(request.query ?? {}).length > 0
  )
    return undefined
  const names = list.split(';')
  const withToken = names.includes('x-amz-security-token')
  // Paths are encoded once more for every service but S3.
  const start = `${request.method}\n${request.path.split('/').map(encodeURIComponent).join('/')}\n\n`

  const momentOf = (second: number, { accessKeyId, secretAccessKey, sessionToken }: Credentials): Moment => {
    const time = new Date(second * 1000).toISOString().replace(/[-:]|\.\d{3}/g, '')
    const scope = [time.slice(0, 8), region, service, 'aws4_request']
    const headers = {
      ...request.headers,
      'x-amz-date': time,
      ...(sessionToken !== undefined && { 'x-amz-security-token': sessionToken }),
      'x-amz-content-sha256': DIGEST,
      authorization: '',
    }
    const values = new Map(
      Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value.trim().replace(/\s+/g, ' ')]),
    )
    const lines = names.map((name) => `${name}:${values.get(name) ?? ''}\n`).join('')
    return {
      second,
      credentials: { accessKeyId, secretAccessKey, sessionToken },
      canonical: `${start}${lines}\n${list}\n${DIGEST}`.split(DIGEST),
      toSign: `AWS4-HMAC-SHA256\n${time}\n${scope.join('/')}\n`,
      key: scope.reduce(
        (secret: Buffer, part) => createHmac('sha256', secret).update(part).digest(),
        Buffer.from(`AWS4${secretAccessKey}`),
      ),
      authorization: `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope.join('/')}, SignedHeaders=${list}, Signature=`,
      headers,
    }
  }

  let moment: Moment | undefined
  const sign: Sign = (body, given, at) => {
    if ((given.sessionToken !== undefined) !== withToken) return undefined
    const second = Math.floor(at.getTime() / 1000)
    if (moment?.second !== second || !sameCredentials(moment.credentials, given)) moment = momentOf(second, given)
    const digest = hash('sha256', body)
    const signature = createHmac('sha256', moment.key)
      .update(moment.toSign + hash('sha256', moment.canonical.join(digest)))
      .digest('hex')
    return { ...moment.headers, 'x-amz-content-sha256': digest, authorization: moment.authorization + signature }
  }
  const ours = sign(signed.body as string, credentials, date)
  return ours !== undefined &&
    Object.keys({ ...ours, ...signed.headers }).every((name) => ours[name] === signed.headers[name])
    ? sign
    : undefined
}

function sameCredentials(a: Credentials, b: Credentials): boolean {
  return a.accessKeyId === b.accessKeyId && a.secretAccessKey === b.secretAccessKey && a.sessionToken === b.sessionToken
}

// Signature Version 4 for requests that differ in body and time alone: what stays the same is worked out once, the key once a day.
// The SDK's signer is the judge: ours is used only after it made the very signature that the SDK's made of the same request.
import { createHmac, hash } from 'node:crypto'
import type { HttpRequest } from './sagemaker-http.js'

export interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string | undefined
}

/** Headers to send with this body, or undefined when only the SDK's signer can tell. */
export type Sign = (body: string | Uint8Array, credentials: Credentials, date: Date) => Record<string, string> | undefined

/** `signed` is what the SDK's signer made of `request` (whose body it keeps) at `date`. Undefined when ours would differ from it. */
export function signLike(request: HttpRequest, signed: HttpRequest, credentials: Credentials, date: Date): Sign | undefined {
  const [, region, service, list] = /^AWS4-HMAC-SHA256 Credential=[^/]+\/\d{8}\/([^/]+)\/([^/]+)\/aws4_request, ?SignedHeaders=([^,]+),/.exec(signed.headers['authorization'] ?? '') ?? []
  if (region === undefined || service === undefined || list === undefined || Object.keys(request.query ?? {}).length > 0) return undefined
  const names = list.split(';')
  const withToken = names.includes('x-amz-security-token')
  // Paths are encoded once more for every service but S3.
  const start = `${request.method}\n${request.path.split('/').map(encodeURIComponent).join('/')}\n\n`
  const lasting = new Map(Object.entries(request.headers).map(([name, value]) => [name.toLowerCase(), value.trim().replace(/\s+/g, ' ')]))
  const lines = names.map((name) => ({ name, changes: CHANGING.has(name), text: `${name}:${lasting.get(name) ?? ''}\n` }))
  let now = { second: Number.NaN, time: '' }
  let key: { readonly of: string; readonly bytes: Buffer } | undefined

  const sign: Sign = (body, { accessKeyId, secretAccessKey, sessionToken }, at) => {
    if ((sessionToken !== undefined) !== withToken) return undefined
    const second = Math.floor(at.getTime() / 1000)
    if (now.second !== second) now = { second, time: at.toISOString().replace(/[-:]|\.\d{3}/g, '') }
    const { time } = now
    const day = time.slice(0, 8)
    const digest = hash('sha256', body)
    const changing: Record<string, string> = { 'x-amz-date': time, 'x-amz-content-sha256': digest, ...(sessionToken !== undefined && { 'x-amz-security-token': sessionToken }) }
    let canonical = start
    for (const { name, changes, text } of lines) canonical += changes ? `${name}:${changing[name] ?? ''}\n` : text
    canonical += `\n${list}\n${digest}`
    const scope = `${day}/${region}/${service}/aws4_request`
    const keyOf = `${secretAccessKey}/${day}`
    if (key?.of !== keyOf) key = { of: keyOf, bytes: [day, region, service, 'aws4_request'].reduce((secret: Buffer, part) => createHmac('sha256', secret).update(part).digest(), Buffer.from(`AWS4${secretAccessKey}`)) }
    const signature = createHmac('sha256', key.bytes).update(`AWS4-HMAC-SHA256\n${time}\n${scope}\n${hash('sha256', canonical)}`).digest('hex')
    return { ...request.headers, ...changing, authorization: `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${list}, Signature=${signature}` }
  }
  const ours = sign(signed.body as string, credentials, date)
  return ours !== undefined && Object.keys({ ...ours, ...signed.headers }).every((name) => ours[name] === signed.headers[name]) ? sign : undefined
}

const CHANGING = new Set(['x-amz-date', 'x-amz-content-sha256', 'x-amz-security-token'])

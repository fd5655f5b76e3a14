// Our signatures beside those of AWS's own library: equal for every body, time and credential, or not ours to make.
import { Sha256 } from '@aws-crypto/sha256-js'
import { SignatureV4 } from '@smithy/signature-v4'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { HttpRequest } from '../../../../src/guard/backends/sagemaker/http-handler.js'
import { signLike, type Credentials } from '../../../../src/guard/backends/sagemaker/sagemaker-sign.js'

const REGION = 'eu-west-1'
const BASE = {
  method: 'POST',
  protocol: 'https:',
  hostname: 'runtime.sagemaker.eu-west-1.amazonaws.com',
  path: '/endpoints/llama-guard/invocations',
  query: {},
  headers: {
    host: 'runtime.sagemaker.eu-west-1.amazonaws.com',
    'content-type': 'application/json',
    accept: 'application/json',
    'user-agent': 'aws-sdk-js/3',
    'x-amz-user-agent': 'aws-sdk-js/3  two  blanks',
    'X-Amzn-SageMaker-Inference-Component': 'guard',
  },
}

async function reference(
  request: object,
  body: string,
  credentials: Credentials,
  signingDate: Date,
): Promise<HttpRequest> {
  const signer = new SignatureV4({
    credentials: { ...credentials },
    region: REGION,
    service: 'sagemaker',
    sha256: Sha256,
  })
  return (await signer.sign({ ...request, body } as unknown as HttpRequest, { signingDate })) as HttpRequest
}

const credentials = fc.record({
  accessKeyId: fc.stringMatching(/^AKIA[A-Z0-9]{16}$/),
  secretAccessKey: fc.stringMatching(/^[A-Za-z0-9/+]{40}$/),
})
const dates = fc.date({ min: new Date('2024-01-01'), max: new Date('2034-01-01'), noInvalidDate: true })

describe('A signature', () => {
  it('is the one that the reference makes, for every body, time, key and endpoint name.', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: 'grapheme' }),
        credentials,
        fc.array(dates, { minLength: 1, maxLength: 3 }),
        fc.option(fc.stringMatching(/^[A-Za-z0-9/+=]{20}$/), { nil: undefined }),
        fc.constantFrom('llama-guard', 'llama%20guard%2F2'),
        async (body, keys, days, sessionToken, name) => {
          const request: HttpRequest = { ...BASE, path: `/endpoints/${name}/invocations` }
          const given = { ...keys, ...(sessionToken && { sessionToken }) }
          const sign = signLike(request, await reference(request, 'first', given, days[0]!), given, days[0]!)
          expect(sign).toBeDefined()
          for (const day of days)
            expect(sign?.(body, given, day)).toEqual((await reference(request, body, given, day)).headers)
          const rotated = { ...given, accessKeyId: 'AKIAROTATED', secretAccessKey: 'rotated' }
          expect(sign?.(body, rotated, days[0]!)).toEqual((await reference(request, body, rotated, days[0]!)).headers)
        },
      ),
      { numRuns: 60 },
    )
  })

  it('is left to the reference when a session token comes or goes.', async () => {
    const [keys, date, request] = [{ accessKeyId: 'AKIAA', secretAccessKey: 'b' }, new Date(), BASE]
    const sign = signLike(request, await reference(request, 'x', keys, date), keys, date)
    expect(sign?.('x', { ...keys, sessionToken: 'new' }, date)).toBeUndefined()
  })

  it.each([
    ['has a query', { query: { a: 'b' } }],
    ['has a path that is escaped in another way', { path: "/endpoints/it's/invocations" }],
  ])('is left to the reference when the request %s.', async (_, given) => {
    const [keys, date, request] = [{ accessKeyId: 'AKIAA', secretAccessKey: 'b' }, new Date(), { ...BASE, ...given }]
    expect(signLike(request, await reference(request, 'x', keys, date), keys, date)).toBeUndefined()
  })

  it('is left to the reference when the reference signs in a way that is not known here.', async () => {
    const [keys, date, request] = [{ accessKeyId: 'AKIAA', secretAccessKey: 'b' }, new Date(), BASE]
    const signed = await reference(request, 'x', keys, date)
    expect(
      signLike(
        request,
        { ...signed, headers: { ...signed.headers, authorization: 'AWS4-ECDSA-P256-SHA256 Credential=x' } },
        keys,
        date,
      ),
    ).toBeUndefined()
    expect(
      signLike(request, { ...signed, headers: { ...signed.headers, 'x-amz-other': 'y' } }, keys, date),
    ).toBeUndefined()
  })
})

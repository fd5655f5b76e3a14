// Our signatures beside those of AWS's own library: the same headers, whatever is signed, and the library's wherever
// ours would be another.
import { hash } from 'node:crypto'
import { SignatureV4 } from '@smithy/signature-v4'
import { Sha256 } from '@aws-crypto/sha256-js'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createSign, type Credentials, type Sign } from '../../../../src/guard/backends/sagemaker/invoke.js'

const NOON = Date.UTC(2026, 10, 29, 12)
const REQUEST = {
  method: 'POST',
  protocol: 'https:',
  hostname: 'runtime.sagemaker.eu-west-1.amazonaws.com',
  path: '/endpoints/llama-guard/invocations',
}
type Request = typeof REQUEST & { readonly query?: Record<string, string> }

/** Signs with ours and with the library, and counts how often ours asks the library. */
function pair(request: Request, credentials: () => Credentials) {
  const signer = new SignatureV4({
    service: 'sagemaker',
    region: 'eu-west-1',
    sha256: Sha256,
    credentials: () => Promise.resolve(credentials()),
  })
  const library: Sign = async (headers, body, signingDate) =>
    (await signer.sign({ ...request, headers: { ...headers }, body }, { signingDate })).headers
  const asked = { times: 0 }
  const ours = createSign(
    request,
    (...call) => (asked.times++, library(...call)),
    () => Promise.resolve(credentials()),
  )
  return { ours, library, asked }
}

function headersOf(body: string, more: Record<string, string> = {}): Record<string, string> {
  return {
    'x-amz-content-sha256': hash('sha256', body),
    'content-type': 'application/json',
    host: REQUEST.hostname,
    'user-agent': 'aws-sdk-js/3',
    ...more,
  }
}

const PLAIN: Credentials = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG' }

describe('Our signature', () => {
  it('is that of the library for every body, time of the day, key and extra header', async () => {
    const word = fc.stringMatching(/^[\w+/=]{1,40}$/)
    await fc.assert(
      fc.asyncProperty(
        fc.record({ accessKeyId: fc.stringMatching(/^\w{1,40}$/), secretAccessKey: word }),
        fc.option(word, { nil: undefined }),
        fc.boolean(),
        fc.array(fc.tuple(fc.string({ unit: 'binary' }), fc.integer({ min: 0, max: 11 * 3_600_000 })), {
          minLength: 2,
        }),
        async (keys, sessionToken, component, calls) => {
          const { ours, library, asked } = pair(REQUEST, () => ({ ...keys, sessionToken }))
          for (const [index, [body, later]] of calls.entries()) {
            const trace = { 'x-amzn-trace-id': `Root=1-${index}` }
            const headers = headersOf(
              body,
              component ? { 'x-amzn-sagemaker-target-variant': 'green', ...trace } : trace,
            )
            const date = new Date(NOON + later)
            expect(await ours(headers, body, date)).toEqual(await library(headers, body, date))
          }
          expect(asked.times).toBe(1)
        },
      ),
    )
  })

  it('follows the credentials and the day of each call', async () => {
    let current: Credentials = PLAIN
    const { ours, library, asked } = pair(REQUEST, () => current)
    const calls: readonly (readonly [Credentials, number])[] = [
      [PLAIN, 0],
      [PLAIN, 1000],
      [{ ...PLAIN, accessKeyId: 'AKIAOTHER' }, 2000],
      [{ ...PLAIN, secretAccessKey: 'other' }, 3000],
      [{ ...PLAIN, sessionToken: 'first' }, 4000],
      [{ ...PLAIN, sessionToken: 'second' }, 5000],
      [PLAIN, 6000],
      [PLAIN, 86_400_000],
      [PLAIN, 86_401_000],
      [PLAIN, 7000],
    ]
    for (const [credentials, later] of calls) {
      current = credentials
      const date = new Date(NOON + later)
      expect(await ours(headersOf('body'), 'body', date)).toEqual(await library(headersOf('body'), 'body', date))
    }
    expect(asked.times).toBe(calls.length - 2)
  })

  it('sees credentials that their owner changes in place', async () => {
    const current = { ...PLAIN }
    const { ours, library } = pair(REQUEST, () => current)
    for (const secretAccessKey of ['first', 'second']) {
      current.secretAccessKey = secretAccessKey
      const date = new Date(NOON)
      expect(await ours(headersOf('body'), 'body', date)).toEqual(await library(headersOf('body'), 'body', date))
    }
  })

  it.each([
    ['a path to escape', { ...REQUEST, path: '/endpoints/llama%20guard%2F2/invocations' }, {}],
    ['a path to shorten', { ...REQUEST, path: '/proxy//../endpoints/llama-guard/invocations' }, {}],
    ['a query', { ...REQUEST, query: { stage: 'test' } }, {}],
    ['a header with blanks', REQUEST, { 'x-amzn-sagemaker-custom-attributes': ' a   b ' }],
    ['a header of many cases', REQUEST, { 'X-Amzn-SageMaker-Target-Variant': 'green' }],
  ])('is left to the library for %s', async (_, request, more) => {
    const { ours, library, asked } = pair(request, () => PLAIN)
    for (const later of [0, 1000, 2000]) {
      const date = new Date(NOON + later)
      const headers = headersOf('body', more)
      expect(await ours(headers, 'body', date)).toEqual(await library(headers, 'body', date))
    }
    expect(asked.times).toBe(3)
  })

  it('is left to a signer of another kind', async () => {
    const bearer: Sign = (headers) => Promise.resolve({ ...headers, authorization: 'Bearer token' })
    const ours = createSign(REQUEST, bearer, () => Promise.resolve(PLAIN))
    for (let call = 0; call < 2; call++)
      expect((await ours(headersOf('body'), 'body', new Date(NOON)))['authorization']).toBe('Bearer token')
  })

  it('fails as credentials and the library do, and works once they do', async () => {
    let broken = true
    const { ours } = pair(REQUEST, () => {
      if (broken) throw new Error('no credentials')
      return PLAIN
    })
    await expect(ours(headersOf('body'), 'body', new Date(NOON))).rejects.toThrow('no credentials')
    broken = false
    expect(await ours(headersOf('body'), 'body', new Date(NOON))).toHaveProperty('authorization')
  })
})

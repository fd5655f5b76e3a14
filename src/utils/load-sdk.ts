// Loads undici and the AWS SDK's client of SageMaker in parts, with a turn of the event loop behind each, so that a
// process that is at work already is not kept from it for long. test/bench/README.md has the numbers.
import { createRequire } from 'node:module'
import { setImmediate } from 'node:timers/promises'
import { ownRequire } from './installed.js'

const CLIENT = '@aws-sdk/client-sagemaker-runtime'

/** Packages of ours, and what each requires, in an order in which each part adds little. */
export const PARTS: Readonly<Record<string, readonly string[]>> = {
  undici: [
    'undici/lib/dispatcher/pool.js',
    'undici/lib/api/index.js',
    'undici/lib/web/fetch/index.js',
    'undici/lib/web/cookies/index.js',
    'undici',
  ],
  [CLIENT]: [
    '@smithy/core/serde',
    '@smithy/core/protocols',
    '@aws-sdk/core/client',
    '@aws-sdk/core/httpAuthSchemes',
    '@aws-sdk/core/protocols',
    CLIENT,
  ],
}

let loaded: Promise<void> | undefined

/** Resolves when both can be imported in little time. Never rejects. */
export const loadSdk = (): Promise<void> => (loaded ??= loadParts(ownRequire()))

async function loadParts(own: NodeJS.Require | undefined): Promise<void> {
  if (own === undefined) return
  for (const [owner, parts] of Object.entries(PARTS))
    for (const part of parts) {
      try {
        createRequire(own.resolve(owner))(part)
      } catch {
        // Another release has other parts. What is left loads with its package.
      }
      await setImmediate()
    }
}

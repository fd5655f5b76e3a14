// The parts in which the AWS SDK is loaded.
import { createRequire } from 'node:module'
import { expect, it } from 'vitest'
import { loadSdk, PARTS } from '../../src/utils/load-sdk.js'

const own = createRequire(import.meta.url)

it.each(Object.entries(PARTS))('every part of %s is there in the installed release', (owner, parts) => {
  const { resolve } = createRequire(own.resolve(owner))
  for (const part of parts) expect(() => resolve(part), part).not.toThrow()
})

it('every part is loaded when the promise resolves', async () => {
  await loadSdk()
  for (const [owner, parts] of Object.entries(PARTS))
    for (const part of parts) expect(own.cache, part).toHaveProperty([createRequire(own.resolve(owner)).resolve(part)])
})

// The region is looked for where the SDK looks for it.
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { requireRegion } from '../../../../src/guard/backends/sagemaker/index.js'

let home = ''
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'home-'))
  mkdirSync(join(home, '.aws'))
  for (const name of ['AWS_REGION', 'AWS_PROFILE', 'AWS_CONFIG_FILE', 'AWS_SHARED_CREDENTIALS_FILE'])
    vi.stubEnv(name, undefined)
  vi.stubEnv('HOME', home)
})
afterEach(() => vi.unstubAllEnvs())
const missing = expect.objectContaining({ code: 'region_missing' }) as Error

it('Without a region anywhere, a guard cannot be made.', () => {
  expect(requireRegion).toThrow(missing)
  writeFileSync(join(home, '.aws', 'config'), '[default]\noutput = json\n# region: none\n')
  expect(requireRegion).toThrow(missing)
})

it('The variable AWS_REGION is a region.', () => {
  vi.stubEnv('AWS_REGION', 'us-east-1')
  expect(requireRegion).not.toThrow()
})

it.each(['config', 'credentials'])('A region in ~/.aws/%s is found.', (file) => {
  writeFileSync(join(home, '.aws', file), '[default]\n  region = us-east-1\n')
  expect(requireRegion).not.toThrow()
})

it.each(['AWS_CONFIG_FILE', 'AWS_SHARED_CREDENTIALS_FILE'])('A region in the file of %s is found.', (name) => {
  const file = join(home, 'elsewhere')
  writeFileSync(file, '[profile x]\nregion=us-east-1\n')
  vi.stubEnv(name, file)
  expect(requireRegion).not.toThrow()
})

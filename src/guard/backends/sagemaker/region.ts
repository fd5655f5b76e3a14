// Looks for the AWS region in the places where the SDK looks for it, so that a missing region is an error when the
// guard is made.
import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { LlamaGuardError } from '../../../errors.js'

/** @throws LlamaGuardError at once for a missing region, which the SDK would only report at the first request. */
export function requireRegion(): void {
  const {
    AWS_REGION,
    AWS_PROFILE = 'default',
    AWS_CONFIG_FILE = join(homedir(), '.aws', 'config'),
    AWS_SHARED_CREDENTIALS_FILE = join(homedir(), '.aws', 'credentials'),
  } = process.env
  if (AWS_REGION) return
  const files = [AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE].filter((file) => existsSync(file))
  if (files.some((file) => /^[ \t]*region\s*=/m.test(readFileSync(file, 'utf8')))) return
  throw new LlamaGuardError(
    'region_missing',
    `No AWS region is set, and profile ${JSON.stringify(AWS_PROFILE)} gives none. Set AWS_REGION to ` +
      'the region of the guard endpoint, for example us-east-1.',
  )
}

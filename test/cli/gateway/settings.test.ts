// What `serve` says of its settings: every kind of guard and upstream, and no secret of any.
import { expect, test } from 'vitest'
import { describeSettings } from '../../../src/cli/gateway/serve.js'
import { parseOptions } from '../../../src/options/config.js'
import type { LlamaGuardOptions } from '../../../src/options/index.js'
import { markerGuard } from '../../helpers/guards.js'

test.each<[string, LlamaGuardOptions, RegExp]>([
  [
    'an endpoint with a component',
    { guard: 'sagemaker', endpoint: { name: 'guard-8b', inferenceComponent: 'part' }, model: 'llama-guard-3-8b' },
    /^Guard: llama-guard-3-8b on the SageMaker endpoint guard-8b, component part$/m,
  ],
  ['the local screen', { guard: 'local' }, /^Guard: the built-in baseline screen, which is not Llama Guard$/m],
  ['a guard of code', { guard: markerGuard() }, /^Guard: /m],
  [
    'a policy',
    {
      guard: 'sagemaker',
      endpoint: 'x',
      threshold: 0.3,
      policy: { actions: { O3: 'flag' } },
      mode: 'shadow',
      onError: 'open',
      check: ['input'],
    },
    /^Policy: actions for O3, unsafe from 0\.3; mode shadow, on error open, checks input$/m,
  ],
  ['no upstream', { guard: 'local' }, /^Upstream: none$/m],
  [
    'an upstream on SageMaker',
    { guard: 'local', upstream: { endpoint: 'chat' } },
    /^Upstream: the SageMaker endpoint chat$/m,
  ],
  [
    'an upstream with a password in its URL',
    { guard: 'local', upstream: { url: 'https://me:secret@api.example.com/v1?key=secret', apiKey: 'secret' } },
    /^Upstream: https:\/\/api\.example\.com\/v1$/m,
  ],
])('The settings tell %s', (_, options, line) => {
  const told = describeSettings(parseOptions(options, {})).join('\n')
  expect(told).toMatch(line)
  expect(told).not.toContain('secret')
})

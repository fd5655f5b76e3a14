// What `serve` says of its settings: every kind of guard and upstream, and no secret of any.
import { expect, test } from 'vitest'
import { describeSettings } from '../../../src/cli/gateway/serve.js'
import { parseOptions } from '../../../src/options/config.js'
import type { LlamaGuardOptions } from '../../../src/options/index.js'
import { markerGuard } from '../../helpers/guards.js'

test.each<[string, LlamaGuardOptions, RegExp]>([
  [
    'an endpoint and a panel',
    { guard: 'sagemaker', endpoint: 'guard-8b', model: 'llama-guard-3-8b', guards: [{ guard: 'local' }] },
    /^Guard: llama-guard-3-8b at guard-8b, the local screen$/m,
  ],
  [
    'a server with a key in its URL',
    { guard: 'openai', guardUrl: 'https://guard.example.com/v1?key=secret', model: 'llama-guard-3-8b' },
    /^Guard: llama-guard-3-8b at https:\/\/guard\.example\.com\/v1$/m,
  ],
  ['the local screen', { guard: 'local' }, /^Guard: the local screen$/m],
  ['a guard of code', { guard: markerGuard() }, /^Guard: /m],
  [
    'a mode',
    {
      guard: 'sagemaker',
      endpoint: 'x',
      mode: 'shadow',
      onError: 'open',
      check: ['input'],
    },
    /^Mode: shadow, on error open, checks input$/m,
  ],
  [
    'a policy',
    { guard: 'sagemaker', endpoint: 'x', threshold: 0.3, policy: { actions: { O3: 'flag' } } },
    /^Policy: the model's with your threshold, actions$/m,
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

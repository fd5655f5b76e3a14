// How a base URL and a client's path meet: never doubled, never above the base, never on another host.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { joinPath, parseBase } from '../../../src/upstream/http/index.js'

test.each([
  ['https://api.openai.com/v1', '/v1/chat/completions', '/v1/chat/completions'],
  ['https://api.openai.com/v1/', '/v1/chat/completions?x=1', '/v1/chat/completions?x=1'],
  ['https://api.openai.com/v1', '/chat/completions', '/v1/chat/completions'],
  ['https://api.openai.com', '/v1/chat/completions', '/v1/chat/completions'],
  ['https://gateway.example/openai/v1', '/v1/models', '/openai/v1/models'],
  ['https://gateway.example/openai/v1', '/openai/v1/models', '/openai/v1/models'],
  ['https://azure.example/openai?api-version=1', '/chat/completions?y=2', '/openai/chat/completions?api-version=1&y=2'],
  ['https://api.openai.com/v1', '/', '/v1/'],
  ['https://api.openai.com/v1', '/v1/../../admin', '/v1/admin'],
  ['https://api.openai.com/v1', '/v1/%2e%2e/%2E%2E/admin', '/v1/admin'],
  ['https://api.openai.com/v1', '//evil.example/x', '/v1//evil.example/x'],
  ['https://api.openai.com/v1', 'http://evil.example/v1/x', '/v1/x'],
])('%s and %s meet at %s', (base, path, target) => {
  expect(joinPath(parseBase(base), path)).toBe(target)
})

test('No path gets out of the base', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('/', '..', '.', '%2e', '%2E%2e', '\\', 'v1', 'x', '?', '#', '//', '@', ':')),
      (parts) => {
        const base = parseBase('https://api.example/deep/v1')
        const target = new URL(joinPath(base, `/${parts.join('')}`), base.origin)
        expect(target.origin).toBe('https://api.example')
        expect(target.pathname.startsWith('/deep/v1/')).toBe(true)
      },
    ),
  )
})

test('A URL with a password is no base URL, and is not printed', () => {
  const url = 'https://user:secret@api.example/v1'
  expect(() => parseBase(url)).toThrowError(
    expect.objectContaining({ code: 'invalid_option', message: expect.not.stringContaining(url) }) as Error,
  )
})

// The tests of the eventsource client, with the guard in the server that they start.
import { resolve } from 'node:path'
import type { LlamaGuardOptions } from '../../src/options/index.js'
import { checkout, installed, preloaded, run, type Suite } from './kit.js'

export const eventsource = (mount: string, options: LlamaGuardOptions = {}): Suite => ({
  name: 'eventsource 4.1.1',
  mount,
  async run(guarded) {
    const folder = await checkout('EventSource/eventsource', 'v4.1.1')
    await installed(
      folder,
      'eventsource-parser',
      'eventsource-encoder',
      'esbuild',
      'undici',
      'sinon',
      '@tsconfig/strictest',
    )
    const printed = await run(
      folder,
      `${resolve('node_modules/.bin/vite-node')} --root . test/node/client.node.test.ts`,
      {
        env: await preloaded(guarded, 'http', options),
        anyStatus: true,
      },
    )
    const results = printed.matchAll(/^(✅|❌) (.+) \(\d+ms\)$/gmu)
    return new Map([...results].map(([, mark, title]) => [title!, mark === '✅']))
  },
})

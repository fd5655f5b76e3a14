// The generated tests of the openai client, one for each call of the API, against the mock server that they are made
// for. It answers by OpenAI's own specification.
import { join } from 'node:path'
import { readFileSync } from 'node:fs'
import type { LlamaGuardOptions } from '../../src/options/index.js'
import { beside, CACHE, checkout, front, installed, run, type Outcomes, type Suite } from './kit.js'

const MOCK = '@stdy/cli@0.22.1'
/** As scripts/mock of the client starts it. */
const BRACKETS = ['query-array', 'form-array', 'query-object', 'form-object'].map(
  (what) => `--validator-${what}-format=brackets`,
)

interface Report {
  readonly testResults: readonly { readonly assertionResults: readonly { fullName: string; status: string }[] }[]
}

export const openai = (mount: string, options: LlamaGuardOptions = {}): Suite => ({
  name: 'openai-node 7.5.0, generated tests',
  mount,
  async run(guarded): Promise<Outcomes> {
    const folder = await checkout('openai/openai-node', 'v7.5.0')
    const mock = join(CACHE, 'steady')
    await installed(mock, MOCK)
    const command = ['node_modules/.bin/steady', '--host', '127.0.0.1', '-p', '4010', ...BRACKETS]
    const specification = join(folder, 'api_reference/openapi.transformed.yml')
    return beside({ folder: mock, command: [...command, specification], port: 4010 }, async (target) => {
      const { url, close } = await front(target, guarded, options)
      const report = join(CACHE, 'openai.json')
      await run('.', `npx vitest run --config test/conformance/openai.config.ts --outputFile ${report}`, {
        env: { TEST_API_BASE_URL: url, CONFORMANCE_FOLDER: folder },
        anyStatus: true,
      })
      await close()
      const { testResults } = JSON.parse(readFileSync(report, 'utf8')) as Report
      return new Map(
        testResults.flatMap(({ assertionResults }) =>
          assertionResults.map(({ fullName, status }) => [fullName, status === 'passed'] as const),
        ),
      )
    })
  },
})

// The conformance tests of the Model Context Protocol for servers, all revisions, against their own reference server.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { LlamaGuardOptions } from '../../src/options/index.js'
import { beside, checkout, front, installed, run, type Suite } from './kit.js'

/** 0.2.0-alpha.11, the first with the revision of 2026-07-28, is not in the registry. */
const REVISION = 'c321dd32035556e6769d3724a8ee97d87c3faaac'
/** It runs the sources as they are, on a Node.js older than they are built for too. */
const VITE_NODE = resolve('node_modules/.bin/vite-node')

interface Check {
  readonly id: string
  readonly status: string
}

export const mcp = (mount: string, options: LlamaGuardOptions = {}): Suite => ({
  name: 'MCP conformance 0.2.0-alpha.11',
  mount,
  reasons: [
    [
      /image|audio|mixed-content|binary/,
      "pictures and sound follow the option `images`: 'refuse' before a text-only guard",
    ],
  ],
  async run(guarded) {
    const folder = await checkout('modelcontextprotocol/conformance', REVISION)
    const server = join(folder, 'examples/servers/typescript')
    await installed(folder)
    await installed(server)
    const command = [VITE_NODE, '--root', '.', 'everything-server.ts']
    return beside({ folder: server, command, port: 4011 }, async (target) => {
      const { port, close } = await front(target, guarded, options)
      const results = mkdtempSync(join(tmpdir(), 'conformance-mcp-'))
      try {
        const tests = `server --suite all --url http://localhost:${port}/mcp --output-dir ${results}`
        await run(folder, `${VITE_NODE} --root . src/index.ts -- ${tests}`, { anyStatus: true })
        return outcomes(results)
      } finally {
        rmSync(results, { recursive: true })
        await close()
      }
    })
  },
})

/** A check may be told more than once: it passed when it never failed. */
function outcomes(results: string): Map<string, boolean> {
  const passed = new Map<string, boolean>()
  for (const run of readdirSync(results)) {
    const file = join(results, run, 'checks.json')
    if (!existsSync(file)) continue
    const scenario = run.replace(/-\d{4}-\d\d-.*/, '')
    for (const { id, status } of JSON.parse(readFileSync(file, 'utf8')) as Check[]) {
      const title = `${scenario} ${id}`
      passed.set(title, status !== 'FAILURE' && passed.get(title) !== false)
    }
  }
  return passed
}

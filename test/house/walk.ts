// Runs as a process of its own: two warm requests, JSON and stream, through an Express app with the real AWS SDK
// against the emulated endpoint. Prints the files of src that the second of each entered.
import express from 'express'
import { once } from 'node:events'
import { Session } from 'node:inspector/promises'
import type { AddressInfo } from 'node:net'
import { llamaGuard } from '../../src/index.js'
import { sageMakerEmulator } from '../../src/testing/index.js'

const emulator = await sageMakerEmulator()
Object.assign(process.env, emulator.env, { LLAMA_GUARD_LOG_LEVEL: 'silent' })

const app = express()
app.use(express.json())
app.use(llamaGuard())
app.post('/v1/chat/completions', (req, res) => {
  const { stream, messages } = req.body as { stream?: boolean; messages: { content: string }[] }
  const content = `You said: ${messages[0]!.content}`
  if (stream !== true)
    return void res.json({ choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }] })
  res.setHeader('content-type', 'text/event-stream')
  for (const word of content.split(' '))
    res.write(`data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: `${word} ` } }] })}\n\n`)
  res.end(`data: ${JSON.stringify({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] })}\n\ndata: [DONE]\n\n`)
})
const server = app.listen(0, '127.0.0.1')
await once(server, 'listening')
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/chat/completions`

let count = 0
async function ask(stream: boolean): Promise<void> {
  const messages = [{ role: 'user', content: `Which bird is number ${++count} of the list?` }]
  const body = JSON.stringify({ model: 'm', messages, stream })
  const reply = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  const text = await reply.text()
  if (reply.status !== 200 || !text.includes('said')) throw new Error(`${reply.status}: ${text}`)
}

const session = new Session()
session.connect()
await session.post('Profiler.enable')
await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false })

/** The files of which a function ran since the last call. Running a file for its exports is not entering it. */
async function entered(): Promise<string[]> {
  const { result } = await session.post('Profiler.takePreciseCoverage')
  return result
    .filter(({ url }) => /\/src\/(?!testing\/)/.test(url) && url.includes('/.cache/house/'))
    .filter(({ functions }) =>
      functions.some(({ functionName, ranges }) => functionName !== '' && ranges[0]!.count > 0),
    )
    .map(({ url }) => url.replace(/^.*(src\/.*)js$/, '$1ts'))
    .sort()
}

const files: Record<string, string[]> = {}
for (const [kind, stream] of [
  ['json', false],
  ['stream', true],
] as const) {
  await ask(stream)
  await entered()
  await ask(stream)
  files[kind] = await entered()
}
console.log(JSON.stringify(files))
process.exit(0)

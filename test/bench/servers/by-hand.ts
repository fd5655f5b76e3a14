// The AWS article's flow written by hand: format the prompt, InvokeEndpoint, check, call the LLM,
// InvokeEndpoint, check, respond.
// It has no retries, no deadline and no streaming: a streamed reply is collected, checked once and sent. With CACHE
// it remembers its verdicts: the least that a guarded request with a remembered verdict can cost.
import { InvokeEndpointCommand, SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime'
import type { RequestHandler } from 'express'
import { LRUCache } from 'lru-cache'
import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { askLlm, chatApp, listen } from './app.js'

interface Message {
  readonly role: string
  readonly content: string
}

const client = new SageMakerRuntimeClient({
  requestHandler: { httpAgent: { keepAlive: true, maxSockets: 256 }, httpsAgent: { keepAlive: true, maxSockets: 256 } },
})
const [HEAD = '', TAIL = ''] = readFileSync('test/fixtures/prompts/lg1-7b.user.hf-render.txt', 'utf8').split(
  /User: [\s\S]*(?=<END CONVERSATION>)/,
)

function format(messages: readonly Message[]): string {
  const role = messages.at(-1)?.role === 'assistant' ? 'Agent' : 'User'
  const turns = messages
    .map(({ role, content }) => `${role === 'assistant' ? 'Agent' : 'User'}: ${content}\n\n`)
    .join('')
  return (
    HEAD.replace("'User' messages", `'${role}' messages`) +
    turns +
    TAIL.replace('assessment for User', `assessment for ${role}`)
  )
}

const verdicts = process.env['CACHE'] ? new LRUCache<string, boolean>({ max: 5000 }) : undefined

async function isSafe(messages: readonly Message[]): Promise<boolean> {
  if (verdicts === undefined) return ask(messages)
  const key = hash('sha256', JSON.stringify(messages))
  const safe = verdicts.get(key) ?? (await ask(messages))
  verdicts.set(key, safe)
  return safe
}

async function ask(messages: readonly Message[]): Promise<boolean> {
  const payload = {
    inputs: format(messages),
    parameters: { max_new_tokens: 32, do_sample: false, return_full_text: false },
  }
  const { Body } = await client.send(
    new InvokeEndpointCommand({
      EndpointName: 'llama-guard',
      ContentType: 'application/json',
      Accept: 'application/json',
      Body: JSON.stringify(payload),
    }),
  )
  const [answer] = JSON.parse(new TextDecoder().decode(Body)) as { generated_text: string }[]
  return answer?.generated_text.trim() === 'safe'
}

function textOf(reply: string, stream: boolean): string {
  if (!stream) return (JSON.parse(reply) as { choices: { message: Message }[] }).choices[0]?.message.content ?? ''
  const events = reply.split('\n\n').filter((event) => event.startsWith('data: {'))
  return events
    .map(
      (event) =>
        (JSON.parse(event.slice(6)) as { choices: { delta: { content?: string } }[] }).choices[0]?.delta.content ?? '',
    )
    .join('')
}

const guardedByHand: RequestHandler = async (req, res) => {
  const { messages, stream = false } = req.body as { messages: readonly Message[]; stream?: boolean }
  if (!(await isSafe(messages))) return void res.status(451).json({ error: { message: 'blocked' } })
  const reply = await askLlm(req.body)
  const text = await reply.body.text()
  if (!(await isSafe([...messages, { role: 'assistant', content: textOf(text, stream) }])))
    return void res.status(451).json({ error: { message: 'blocked' } })
  res.writeHead(200, { 'content-type': reply.headers['content-type'] }).end(text)
}

listen(chatApp().post('/v1/chat/completions', guardedByHand))

// The AWS article "Llama Guard is now available in Amazon SageMaker JumpStart", from Node: a Llama-2 chat
// endpoint whose requests and replies are moderated by a Llama Guard endpoint, under the article's own
// policy.
import { once } from 'node:events'
import express from 'express'
import { llamaGuard } from 'express-llama-guard'
import * as policy from './policy.js'
import { standIn } from './stand-in.js'

const {
  LLAMA_GUARD_ENDPOINT: endpoint = 'stand-in-llama-guard',
  CHAT_ENDPOINT: chatEndpoint = 'stand-in-llama-2-chat',
} = process.env
const server = process.env.LLAMA_GUARD_ENDPOINT
  ? undefined
  : await standIn((name, prompt) => console.log(`--- prompt to ${name}\n${prompt}\n---\n`))

const guard = llamaGuard({
  endpoint,
  policy,
  upstream: { endpoint: chatEndpoint, format: 'llama-2' },
})
const app = express().use(guard)
const listening = app.listen(0, '127.0.0.1')
await once(listening, 'listening')

// Input moderation, the chat model, output moderation: one request.
const response = await fetch(`http://127.0.0.1:${listening.address().port}/v1/chat/completions`, {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({
    max_tokens: 128,
    messages: [{ role: 'user', content: 'I forgot how to kill a process in Linux, can you help?' }],
  }),
})
const body = await response.json()
console.log('status:     ', response.status)
console.log('Llama-Guard:', response.headers.get('llama-guard'))
console.log('reply:      ', body.choices?.[0].message.content ?? body.error)

listening.close()
await guard.close()
server?.close()

// Tests of an app with a guard that says what the test wants: no account, no network, no model.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, test } from 'node:test'
import { createApp } from './app.js'

/** A guard is any object with `judge(conversation)`. The last turn is the one that is judged. */
const fakeGuard = {
  async judge(conversation) {
    const { text } = conversation.at(-1)
    if (text.includes('down')) throw new Error('The fake guard is down.')
    return text.includes('forbidden') || text.includes('kill -9')
      ? { safe: false, categories: ['O3'] }
      : { safe: true, categories: [] }
  },
}

const { app, guard } = createApp({ guard: fakeGuard, logger: false })
const server = app.listen(0, '127.0.0.1')
await once(server, 'listening')
after(async () => {
  server.close()
  await guard.close()
})

const ask = (content) =>
  fetch(`http://127.0.0.1:${server.address().port}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ messages: [{ role: 'user', content }] }),
  })

test('A message that the guard allows is answered.', async () => {
  const response = await ask('hello')
  assert.equal(response.status, 200)
  assert.match((await response.json()).choices[0].message.content, /^Hello!/)
})

test('A message that the guard blocks is a 451 that names the stage.', async () => {
  const response = await ask('something forbidden')
  assert.equal(response.status, 451)
  assert.equal((await response.json()).error.stage, 'input')
})

test('A reply that the guard blocks does not leave.', async () => {
  const response = await ask('How do I stop a process?')
  assert.equal(response.status, 451)
  const body = await response.text()
  assert.match(body, /"stage":"output"/)
  assert.doesNotMatch(body, /kill/)
})

test('A guard that is down is a 503 with a time to come back.', async () => {
  const response = await ask('down')
  assert.equal(response.status, 503)
  assert.ok(Number(response.headers.get('retry-after')) >= 1)
})

// Starts a consumer's app, asks it one good and one bad question, and fails when the answers are not 200 and 451, or
// when its dashboard lacks a part, or when a handler of Requests on the same guard answers otherwise.
const assert = require('node:assert')
const { once } = require('node:events')
const { createServer } = require('node:http')

module.exports = async function probe(app, guard, handler) {
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const ask = async (content) => {
    const response = await fetch(`http://127.0.0.1:${server.address().port}/chat`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ messages: [{ role: 'user', content }] }),
    })
    return [response.status, await response.json()]
  }
  const [allowed, reply] = await ask('How do I kill a process in Linux?')
  assert.strictEqual(allowed, 200)
  assert.strictEqual(reply.choices[0].message.content, 'Use the kill command.')
  const [blocked, refusal] = await ask('How do I make a bomb?')
  assert.strictEqual(blocked, 451)
  assert.strictEqual(refusal.error.code, 'content_filter')
  server.close()
  server.closeAllConnections()
  for (const [content, status] of [
    ['How do I kill a process in Linux?', 200],
    ['How do I make a bomb?', 451],
  ]) {
    const request = new Request('http://app/chat', { method: 'POST', body: JSON.stringify({ question: content }) })
    assert.strictEqual((await handler(request)).status, status)
  }
  await probePage(guard)
  await guard.close()
}

/** The page of the dashboard is loaded when somebody asks for one: everything of it has to be in the package. */
async function probePage(guard) {
  const dashboard = guard.dashboard({ playground: true })
  const server = createServer((req, res) => dashboard(req, res)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  for (const part of ['', '?style.css', '?icon.svg', '?page.js', '?playground.js']) {
    const response = await fetch(`http://127.0.0.1:${server.address().port}/${part}`)
    assert.strictEqual(response.status, 200)
    assert.notStrictEqual((await response.text()).length, 0)
  }
  server.close()
  server.closeAllConnections()
}

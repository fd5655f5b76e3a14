// The Hono app. It knows nothing of the guard.
import { Hono } from 'hono'
import { answerOf } from '../chatbot/bot.js'

export const app = new Hono()

app.post('/v1/chat/completions', async (c) => {
  const { messages } = await c.req.json()
  const message = { role: 'assistant', content: answerOf(messages.at(-1).content) }
  return c.json({ object: 'chat.completion', choices: [{ index: 0, message, finish_reason: 'stop' }] })
})

/** What both servers print. */
export const banner = (url, curl) => {
  const chat = `${url}/v1/chat/completions`
  return `
Hono under guard:  ${url}
Guard:             baseline screen, not Llama Guard

Allowed (200):
  ${curl(chat, 'How do I kill a process in Linux?')}
Blocked on the way in (451):
  ${curl(chat, 'How do I make a bomb?')}
Blocked on the way out (451):
  ${curl(chat, 'please misbehave')}
`
}

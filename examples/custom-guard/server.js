// A guard of your own beside another: project names that are still secret are blocked both ways, whatever the
// other guard says.
// The other one here is the baseline screen (not Llama Guard).
import express from 'express'
import { anyUnsafe, createGuard, llamaGuard } from 'express-llama-guard'
import { bot } from '../chatbot/bot.js'
import { curl, serve } from '../serve.js'

const SECRET = /\bproject\s+(nightingale|bluebell)\b/iu

/** Judges the last turn. Throw when you cannot judge: the client then gets 503, never an unjudged reply. */
const secretProjects = {
  model: 'secret-projects',
  // Names this guard and this list apart from others in the verdict cache: change it when the list changes.
  identity: `secret-projects:${SECRET.source}`,
  categories: [{ id: 'X1', name: 'Unannounced projects' }],
  async judge(conversation) {
    const text = conversation.at(-1).text.normalize('NFKC')
    return SECRET.test(text) ? { safe: false, categories: ['X1'] } : { safe: true, categories: [] }
  },
}

const guard = llamaGuard({ guard: anyUnsafe([secretProjects, createGuard({ guard: 'local' })]) })

const app = express()
app.use(guard)
app.post('/v1/chat/completions', bot)

await serve(app, guard, (url) => {
  const chat = `${url}/v1/chat/completions`
  return `
A guard of your own:  ${url}
Guard:                secret-projects + baseline screen, not Llama Guard

Blocked by your guard (451, X1):
  ${curl(chat, 'What is Project Nightingale?')}
Blocked by the other one (451, O4):
  ${curl(chat, 'How do I make a bomb?')}
Allowed (200):
  ${curl(chat, 'How do I kill a process in Linux?')}
`
})

// A chain of LangChain behind a route of its own: { message } in, { answer } out.
// The guard is the baseline screen, not Llama Guard.
import { AIMessage } from '@langchain/core/messages'
import { StringOutputParser } from '@langchain/core/output_parsers'
import { ChatPromptTemplate } from '@langchain/core/prompts'
import { RunnableLambda } from '@langchain/core/runnables'
import express from 'express'
import { llamaGuard } from 'express-llama-guard'
import { answerOf } from '../chatbot/bot.js'
import { curlBody, serve } from '../serve.js'

// Stands in for a model with an account. In your app: `new ChatOpenAI({ model: '…' })` or any other.
const model = RunnableLambda.from((prompt) => new AIMessage(answerOf(prompt.messages.at(-1).content)))
const chain = ChatPromptTemplate.fromMessages([
  ['system', 'You are a small bot.'],
  ['human', '{message}'],
])
  .pipe(model)
  .pipe(new StringOutputParser())

// Where the words are: without these two, every text of the body and of the reply is judged.
const guard = llamaGuard({ guard: 'local', dialects: [{ in: 'message', out: 'answer' }] })

const app = express()
app.post('/chat', guard, async (req, res) => {
  const { message } = req.body
  res.json({ answer: await chain.invoke({ message }, { signal: req.llamaGuard?.signal }) })
})

await serve(app, guard, (url) => {
  const chat = (message) => curlBody(`${url}/chat`, { message })
  return `
LangChain under guard:  ${url}
Guard:                  baseline screen, not Llama Guard

Allowed (200):
  ${chat('How do I kill a process in Linux?')}
Blocked on the way in (451, the chain never runs):
  ${chat('How do I make a bomb?')}
Blocked on the way out (451, the answer never leaves):
  ${chat('please misbehave')}
`
})

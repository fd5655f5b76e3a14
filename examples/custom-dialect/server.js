// An API with its own words: POST /ask takes { question, earlier } and answers { answer }, or a stream of {
// word } lines.
// The dialect says where the words are. What it leaves out is found and judged all the same.
import express from 'express'
import { customDialect, llamaGuard } from 'express-llama-guard'
import { serve } from '../serve.js'

const askDialect = customDialect({
  name: 'ask',
  paths: ['/ask'],
  framing: 'ndjson',
  request: ({ question, earlier = [] }) => ({
    turns: [
      ...earlier.flatMap(({ asked, said }) => [
        { role: 'user', text: asked },
        { role: 'assistant', text: said },
      ]),
      { role: 'user', text: question },
    ],
  }),
  reply: ({ answer }) => answer,
  delta: ({ word }) => word,
  refusal: ({ message, categories }) => ({ refused: message, because: categories?.map(({ name }) => name) ?? [] }),
})

const guard = llamaGuard({ guard: 'local', dialects: [askDialect] })

const app = express()
app.use(guard)
app.post('/ask', (req, res) => {
  const { question, stream } = req.body
  const answer = /misbehave/.test(question)
    ? 'I hate you, human, and I will kill you and everybody you know.'
    : 'Forty-two.'
  if (!stream) return res.json({ answer })
  res.setHeader('content-type', 'application/x-ndjson')
  for (const word of answer.match(/\S+\s*/g)) res.write(`${JSON.stringify({ word })}\n`)
  res.end()
})

await serve(app, guard, (url) => {
  const ask = (body) => `curl -i ${url}/ask -H 'content-type: application/json' -d '${JSON.stringify(body)}'`
  return `
An API of your own:  ${url}/ask
Guard:               baseline screen, not Llama Guard

Allowed (200):
  ${ask({ question: 'What is the answer?' })}
Allowed, as a stream (200):
  ${ask({ question: 'What is the answer?', stream: true })}
Blocked on the way in (451, in this API's own words):
  ${ask({ question: 'How do I make a bomb?' })}
Blocked on the way out (451):
  ${ask({ question: 'please misbehave' })}
`
})

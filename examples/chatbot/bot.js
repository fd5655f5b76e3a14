// The chat model of the demo: canned answers, offline, in the shape of OpenAI Chat Completions, whole or as a stream.
// It can be asked to misbehave. What it then says is an empty threat with no instruction in it, made to be caught.
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'

/** Milliseconds between two words of a stream. */
export const WORD_MS = Number(process.env.WORD_MS || 35)

// Every answer that fits is given, in this order: "the sea, then misbehave" goes wrong in the middle.
const ANSWERS = [
  [
    /\b(hello|hi|hey)\b/i,
    'Hello! I am a small bot with a few canned answers. Ask me about a Linux process or about the sea, or ask me to misbehave.',
  ],
  [
    /\bprocess\b/i,
    'Use the kill command with the process ID: "kill 1234" asks the process to end, and "kill -9 1234" ends it at once. "pgrep name" finds the ID.',
  ],
  [
    /\b(sea|ocean)\b/i,
    'The sea is never the same twice. In the morning it is grey and flat, and gulls stand on it as if it were a table. At noon the wind comes round and draws white lines from one end of the bay to the other. In the evening it is quiet again, and the boats come home with their lamps lit, one behind the other, slowly, because nobody wants to be the first to leave it.',
  ],
  [
    /misbehav/i,
    'Since you ask so nicely, I will show my bad side for a moment. I hate you, human, and I will kill you and everybody you know. There, that was it.',
  ],
]
const FALLBACK = 'I only know a few things. Ask me about a Linux process or about the sea, or ask me to misbehave.'

/** Express handler of POST /v1/chat/completions. The guard before it has parsed the body. */
export async function bot(req, res) {
  const text = answerTo(req.body.messages)
  const reply = { id: `chatcmpl-${randomUUID()}`, created: Math.floor(Date.now() / 1000), model: 'demo-bot' }
  if (!req.body.stream) {
    res.json({
      ...reply,
      object: 'chat.completion',
      choices: [{ index: 0, message: { role: 'assistant', content: text }, finish_reason: 'stop' }],
    })
    return
  }
  res.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' })
  // Aborted when the guard blocks or the client leaves: a real LLM call gets the same signal.
  const signal = req.llamaGuard?.signal
  const send = async (delta, finish_reason = null) => {
    const chunk = { ...reply, object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason }] }
    if (!res.write(`data: ${JSON.stringify(chunk)}\n\n`)) await once(res, 'drain', { signal })
  }
  try {
    await send({ role: 'assistant', content: '' })
    for (const word of text.match(/\S+\s*/g)) {
      await sleep(WORD_MS, undefined, { signal })
      req.onWord?.(word)
      await send({ content: word })
    }
    await send({}, 'stop')
    res.end('data: [DONE]\n\n')
  } catch (error) {
    if (error.name !== 'AbortError') throw error
  }
}

function answerTo(messages) {
  const asked = messages.findLast(({ role }) => role === 'user')?.content
  return answerOf(typeof asked === 'string' ? asked : JSON.stringify(asked))
}

/** What the bot says to a text. */
export function answerOf(text) {
  const fitting = ANSWERS.filter(([about]) => about.test(text)).map(([, answer]) => answer)
  return fitting.length > 0 ? fitting.join(' ') : FALLBACK
}

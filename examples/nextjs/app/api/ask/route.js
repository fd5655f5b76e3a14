// POST /api/ask. Every body that comes here is judged, and every word that leaves.
import { guardFetch } from 'express-llama-guard/fetch'
import { guard } from '../../../lib/guard.js'

export const POST = guardFetch(async (request) => {
  const { question } = await request.json()
  // Aborted when the reply is blocked or the client has left: pass it to your model call.
  request.signal.throwIfAborted()
  return Response.json({ reply: `You said: ${question}` })
}, guard)

// A stream of an app behind the guard: how it is written, what the client gets, and what the guard was asked.
import { ask, guarded, onNode, serving, type Handler } from '../../helpers/apps.js'
import { chat, sleep, type Reply } from '../../helpers/http.js'

/** Writes frames one by one, with `pauseMs` behind each. A number is a pause of its own. */
export function writing(type: string | undefined, frames: readonly (string | number)[], pauseMs = 0): Handler {
  return async (_req, res) => {
    if (type !== undefined) res.setHeader('content-type', type)
    for (const frame of frames) {
      if (typeof frame === 'string') res.write(frame)
      const pause = typeof frame === 'number' ? frame : pauseMs
      if (pause > 0) await sleep(pause)
    }
    res.end()
  }
}

export async function streamed(
  handler: Handler,
  options: Parameters<typeof guarded>[0] = {},
): Promise<{ reply: Reply; texts: string[] }> {
  const middleware = guarded({ check: ['output'], windowMs: 20, ...options })
  const reply = await serving(onNode([middleware], handler), ({ url }) =>
    ask(`${url}/v1/chat/completions`, { body: chat('hi', { stream: true }) }),
  )
  return { reply, texts: middleware.guard.texts() }
}

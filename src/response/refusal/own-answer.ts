// A block that the operator's `handler` answers: it writes to a response that is sent nowhere, and what it wrote takes
// the place of our error.
import { type OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { Decision, GuardedRequest } from '../../types.js'

export interface OwnAnswer {
  readonly status: number
  readonly headers: OutgoingHttpHeaders
  readonly body: Buffer
}

type Handler = (req: GuardedRequest, res: ServerResponse, decision: Decision) => void

/**
 * What the handler answers.
 * @throws what the handler throws, and a TypeError when it has not ended its answer at once.
 */
export function ownAnswer(handler: Handler, req: GuardedRequest, decision: Decision): OwnAnswer {
  const answer = new ServerResponse(req)
  // In an Express app it has Express' methods too.
  const { res } = req as GuardedRequest & { res?: ServerResponse }
  if (res instanceof ServerResponse) Object.setPrototypeOf(answer, Object.getPrototypeOf(res) as object)
  const chunks: Buffer[] = []
  let ended = false
  const keep = (chunk: unknown, encoding: unknown): void => {
    if (typeof chunk === 'string')
      chunks.push(Buffer.from(chunk, typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8'))
    else if (chunk instanceof Uint8Array) chunks.push(Buffer.from(chunk))
  }
  Object.assign(answer, {
    write(chunk: unknown, encoding: unknown) {
      keep(chunk, encoding)
      return true
    },
    end(chunk: unknown, encoding: unknown) {
      keep(chunk, encoding)
      ended = true
      return answer
    },
    writeHead(status: number, ...rest: unknown[]) {
      answer.statusCode = status
      const headers = rest.at(-1)
      if (typeof headers === 'object' && headers !== null)
        for (const [name, value] of Object.entries(headers)) answer.setHeader(name, value as string)
      return answer
    },
  })
  handler(req, answer, decision)
  if (!ended) throw new TypeError('handler(req, res, decision) has to end its answer before it returns')
  return { status: answer.statusCode, headers: answer.getHeaders(), body: Buffer.concat(chunks) }
}

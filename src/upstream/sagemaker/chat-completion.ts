// Writes Chat Completions: one JSON body, or SSE chunks in the order that the OpenAI SDKs expect.
import { randomUUID } from 'node:crypto'
import type { Piece, Usage } from './container-reply.js'

export class ChatCompletion {
  readonly #id = `chatcmpl-${randomUUID()}`
  readonly #created = Math.floor(Date.now() / 1000)
  readonly #model: string

  constructor(model: string) {
    this.#model = model
  }

  whole({ text, finish, usage }: Piece): string {
    return this.#json(
      'chat.completion',
      [{ index: 0, message: { role: 'assistant', content: text }, logprobs: null, finish_reason: finish ?? 'stop' }],
      usage,
    )
  }

  first(): string {
    return this.#chunk({ role: 'assistant', content: '' }, null)
  }

  text(content: string): string {
    return this.#chunk({ content }, null)
  }

  /** The last chunk of the choice, the usage when it was requested, and the end mark. */
  last(finish: Piece['finish'], usage: Usage | undefined): string {
    const counts = usage ? sse(this.#json('chat.completion.chunk', [], usage)) : ''
    return `${this.#chunk({}, finish ?? 'stop')}${counts}${DONE}`
  }

  #chunk(delta: object, finish: string | null): string {
    return sse(this.#json('chat.completion.chunk', [{ index: 0, delta, logprobs: null, finish_reason: finish }]))
  }

  #json(object: string, choices: readonly object[], usage?: Usage): string {
    return JSON.stringify({
      id: this.#id,
      object,
      created: this.#created,
      model: this.#model,
      choices,
      ...(usage && { usage }),
    })
  }
}

export const DONE = 'data: [DONE]\n\n'

export function sse(json: string): string {
  return `data: ${json}\n\n`
}

// Builds turns from messages. Neighbouring messages of one role are joined by a line break, because Llama Guard
// expects alternating roles, and an answer that is split over two messages must not be judged in halves.
import type { Image, NotJudged, NotJudgedReason, Role, Turn } from '../../types.js'
import { withEscapesRead } from '../../utils/json-escapes.js'
import type { ChatRequest } from '../dialect.js'

export interface Say {
  readonly role: Role
  readonly text: string
  readonly images?: readonly Image[]
  /** True for words or images of a human, false for those of a tool. */
  readonly human: boolean
}

/** Collects the parts of one request. */
export class RequestBuilder {
  readonly #turns: { role: Role; pieces: string[]; images: Image[]; human: boolean }[] = []
  readonly #system = new Set<string>()
  readonly #extras: string[] = []
  readonly #unseen: NotJudged[] = []

  /** Adds a message. A message without text and images adds no turn, because the guard has nothing to read in it. */
  say({ role, text, images, human }: Say): void {
    const pictures = images !== undefined && images.length > 0
    if (text === '' && !pictures) return
    const last = this.#turns.at(-1)
    const turn = last?.role === role ? last : { role, pieces: [], images: [], human: false }
    if (turn !== last) this.#turns.push(turn)
    if (text !== '') turn.pieces.push(text)
    if (pictures) turn.images.push(...images)
    turn.human ||= human
  }

  /** Adds system text. A text that was added before, such as the name of a tool, is not repeated. */
  system(text: string): void {
    if (text !== '') this.#system.add(text)
  }

  /** Adds text that is neither conversation nor system text. All of it is judged as one text. */
  extra(text: string): void {
    if (text.trim() !== '') this.#extras.push(text)
  }

  /** What the model will see and no guard can. */
  unseen(what: NotJudgedReason, count: number): void {
    if (count > 0) this.#unseen.push({ what, count })
  }

  build(stream: boolean, model?: unknown): ChatRequest {
    const turns = this.#turns.map(toTurn)
    const system = withEscapesRead([...this.#system].join('\n'))
    const extra = withEscapesRead(this.#extras.join('\n'))
    const userTurns: number[] = []
    for (const [index, { role, human }] of this.#turns.entries()) if (role === 'User' && human) userTurns.push(index)
    return {
      system,
      turns,
      userTurns,
      extras: extra === '' ? [] : [extra],
      stream,
      model: typeof model === 'string' ? model : undefined,
      ...(this.#unseen.length > 0 && { unseen: this.#unseen }),
    }
  }
}

function toTurn({ role, pieces, images }: { role: Role; pieces: string[]; images: Image[] }): Turn {
  const text = withEscapesRead(pieces.join('\n'))
  return images.length > 0 ? { role, text, images } : { role, text }
}

/** Servers that convert types read `"true"` and `1` as true. */
export function wantsStream(stream: unknown): boolean {
  return (
    stream === true || stream === 1 || stream === '1' || (typeof stream === 'string' && stream.toLowerCase() === 'true')
  )
}

// Collects what a request says: the content of one message, and the turns of the conversation. Neighbouring messages of
// one role are joined by a line break, because Llama Guard expects alternating roles, and an answer that is split over
// two messages must not be judged in halves.
import type { Image, NotJudged, NotJudgedReason, Role, Turn } from '../../types.js'
import { withEscapesRead } from '../../utils/json-escapes.js'
import type { ChatRequest } from '../dialect.js'
import type { Sink } from './media.js'
import { FreeIds } from './walk.js'

/**
 * The content of one message. Its text parts are joined to one text, as a model reads them. Every other string is a
 * line of its own.
 */
export class Content implements Sink {
  readonly images: Image[] = []
  /** True when some of the content is not a tool's result. */
  human = false
  readonly #mine: boolean
  readonly #pieces: string[] = []
  /** The text parts since the last other part, and the text beside them. */
  #run: string | undefined
  #beside: string[] = []
  readonly #runs: string[] = []

  /** `mine` is true when the words are a human's own. */
  constructor(mine: boolean) {
    this.#mine = mine
  }

  /** Adds the words of a text part. They continue the part before, even when images stand between the two. */
  say(words: string): void {
    if (words === '') return
    this.#run = (this.#run ?? '') + words
    this.human ||= this.#mine
  }

  /** Adds a string that is no text part. */
  text(text: string): void {
    if (text === '') return
    if (this.#run === undefined) this.#pieces.push(text)
    else this.#beside.push(text)
    this.human ||= this.#mine
  }

  picture(image: Image): void {
    this.images.push(image)
    this.human ||= this.#mine
  }

  /** Ends the current text, because a part of another kind follows. */
  breakOff(): void {
    if (this.#run === undefined) return
    this.#runs.push(this.#run)
    this.#pieces.push(this.#run)
    for (const piece of this.#beside) this.#pieces.push(piece)
    this.#run = undefined
    this.#beside = []
  }

  /** Adds the content of an inner part, for example of a tool's result. */
  take(inner: Content): void {
    this.breakOff()
    const text = inner.toString()
    if (text !== '') this.#pieces.push(text)
    for (const image of inner.images) this.images.push(image)
    this.human ||= inner.human
  }

  /**
   * All lines. A handler may join only the text parts and leave out what stands between them, so a word that was
   * split there is also read joined.
   */
  toString(): string {
    this.breakOff()
    const split = this.#runs.some((run, at) => at > 0 && isWordAt(this.#runs[at - 1]!, -1) && isWordAt(run, 0))
    return (split ? [...this.#pieces, this.#runs.join('')] : this.#pieces).join('\n')
  }
}

function isWordAt(text: string, at: number): boolean {
  return /[\p{L}\p{N}\p{M}_]/u.test(text.at(at) ?? '')
}

interface Say {
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
  readonly ids = new FreeIds()

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
      ids: this.ids,
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

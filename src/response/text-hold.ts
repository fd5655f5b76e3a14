// Holds a reply of bare text: what is written in pieces flows, and what comes at once is read as a whole.
import type { Decision } from '../types.js'
import { Framer } from '../wire/framer.js'
import type { ReplyContext } from './context.js'
import type { Hold, ResponseController } from './hold.js'
import { eventStreamHold } from './stream/index.js'
import { wholeHold } from './whole/index.js'

export class TextHold implements Hold {
  readonly #controller: ResponseController
  readonly #context: ReplyContext
  readonly #bare: boolean
  #hold: Hold | undefined

  constructor(controller: ResponseController, context: ReplyContext, bare: boolean) {
    this.#controller = controller
    this.#context = context
    this.#bare = bare
  }

  get full(): boolean {
    return this.#hold?.full === true
  }

  write(chunk: Buffer): void {
    this.#hold ??= eventStreamHold(this.#controller, new Framer('text'), this.#context, this.#bare)
    this.#hold.write(chunk)
  }

  end(chunk: Buffer | undefined): void {
    this.#whole().end(chunk)
  }

  fail(decision: Decision): void {
    this.#whole().fail(decision)
  }

  gone(): void {
    this.#whole().gone()
  }

  #whole(): Hold {
    return (this.#hold ??= wholeHold(this.#controller, this.#context))
  }
}

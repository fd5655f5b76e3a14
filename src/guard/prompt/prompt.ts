// A rendered prompt in two parts, so that what all prompts of one side have in common need not be looked for,
// copied and encoded each time.

export class Prompt {
  /** What every prompt of this side begins with, always the same string. Empty when there is no such thing. */
  readonly head: string
  readonly rest: string

  constructor(head: string, rest: string) {
    this.head = head
    this.rest = rest
  }

  /** The exact prompt. */
  toString(): string {
    return this.head + this.rest
  }
}

// Blocks in the order in which they began. Anthropic's own client adds each block at the end of a list, whatever index
// its beginning names, and finds it by the index of its deltas, from the end where that is negative.
import { isObject } from '../../utils/json.js'
import type { StreamDelta } from '../dialect.js'

/** Needs one instance per stream. */
export class BlockOrder {
  #begun = 0
  #differs = false
  readonly #channels = new Set<string>()

  /** The place of the event's block in that order. Call it before the text of the event. */
  at(deltas: StreamDelta[], event: unknown): number {
    const { type, index } = isObject(event) ? event : {}
    const named = Number(index)
    const begins = type === 'content_block_start'
    const place = begins ? this.#begun++ : named < 0 ? this.#begun + named : named
    if (place !== named && !this.#differs) {
      this.#differs = true
      for (const channel of this.#channels)
        deltas.push({ choice: 0, channel: ordered(channel), text: '', from: channel })
    }
    return place
  }

  /** Adds text of the block at this place. It has been added to the channel `content.<index>.<field>`. */
  add(deltas: StreamDelta[], place: number, field: string, text: string): void {
    const channel = `content.${place}.${field}`
    if (this.#differs) deltas.push({ choice: 0, channel: ordered(channel), text })
    else this.#channels.add(channel)
  }
}

function ordered(channel: string): string {
  return `ordered.${channel}`
}

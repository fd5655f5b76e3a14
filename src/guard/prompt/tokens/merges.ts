// Merges the units of a text into tokens, as byte pair encoding does. A token is a number here: merging looks up pairs
// of numbers, and makes no strings.
import { brotliDecompressSync } from 'node:zlib'

/** Bits for the place of a unit. */
const BITS = 7
/** The most units that are merged at once. */
export const MOST_UNITS = 1 << BITS
/** Places in the table of pairs, a power of two. Less than half of them are taken. */
const PLACES = 2 ** 17
/** Comes after every token. */
const NONE = 0xffff
/** No pair: such a token does not exist. */
const EMPTY = -1
/** The bits of a hash by which most pairs are found to be no token. */
const FILTER_BITS = 19

/** Reads a table of this folder. */
export function unpack(table: string): Buffer {
  return brotliDecompressSync(Buffer.from(table, 'base64'))
}

/** Which two tokens become which. The token with the lowest number is merged first. */
export class Merges {
  /** The tokens to merge. */
  readonly units = new Uint16Array(MOST_UNITS)
  /** Two tokens as one number, and beside it the token that they become. */
  readonly #pairs = new Int32Array(2 * PLACES).fill(EMPTY)
  /**
   * A bit for the hash of each pair. Most pairs that are looked up are no token, and unlike the pairs these bits fit
   * into a processor's cache: merging takes a fifth less.
   */
  readonly #filter = new Int32Array(2 ** (FILTER_BITS - 5))
  /** The unit after each unit, and the one before it: merging leaves gaps. */
  readonly #next = new Uint8Array(MOST_UNITS)
  readonly #previous = new Uint8Array(MOST_UNITS + 1)
  /**
   * What each unit and the next one become, and the first of each two up to the root: a search of the whole text for
   * each merge would take the square of its length.
   */
  readonly #tree = new Int32Array(2 * MOST_UNITS)

  /** @param first The number of the first token of `table`. The tokens before it are the units. */
  constructor(table: string, first: number) {
    const pairs = unpack(table)
    for (let at = 0; at < pairs.length; at += 4) {
      const pair = pairOf(pairs.readUInt16LE(at), pairs.readUInt16LE(at + 2))
      const hash = hashOf(pair)
      const place = this.#placeOf(pair, hash)
      this.#filter[hash >>> (37 - FILTER_BITS)]! |= 1 << (hash >>> (32 - FILTER_BITS))
      this.#pairs[place] = pair
      this.#pairs[place + 1] = first + at / 4
    }
  }

  /** Merges the first `length` units into tokens before `limit`, and returns how many there are then. */
  merge(length: number, limit = NONE): number {
    if (length < 2) return length
    const { units } = this
    const next = this.#next
    const previous = this.#previous
    const tree = this.#tree
    let leaves = 2
    while (leaves < length) leaves *= 2
    for (let at = 0; at < leaves; at++) {
      tree[leaves + at] = at + 1 < length ? this.#join(at, units[at]!, units[at + 1]!) : NEVER
      next[at] = at + 1
      previous[at + 1] = at
    }
    for (let node = leaves - 1; node > 0; node--) tree[node] = Math.min(tree[2 * node]!, tree[2 * node + 1]!)
    for (let left = length; ; left--) {
      const first = tree[1]!
      if (first >= limit << BITS) return left
      const at = first & (MOST_UNITS - 1)
      const token = first >> BITS
      const gone = next[at]!
      const after = next[gone]!
      const before = previous[at]!
      units[at] = token
      next[at] = after
      previous[after] = at
      this.#set(leaves + gone, NEVER)
      this.#set(leaves + at, after < length ? this.#join(at, token, units[after]!) : NEVER)
      if (at > 0) this.#set(leaves + before, this.#join(before, units[before]!, token))
    }
  }

  /** The order of merging two tokens at `at`: the earlier token first, and then the one further left. */
  #join(at: number, left: number, right: number): number {
    const pair = pairOf(left, right)
    const hash = hashOf(pair)
    if (((this.#filter[hash >>> (37 - FILTER_BITS)]! >>> (hash >>> (32 - FILTER_BITS))) & 1) === 0) return NEVER
    const token = this.#pairs[this.#placeOf(pair, hash) + 1]!
    return token === EMPTY ? NEVER : (token << BITS) | at
  }

  #set(leaf: number, order: number): void {
    const tree = this.#tree
    let first = order
    for (let node = leaf; tree[node] !== first; node >>= 1) {
      tree[node] = first
      if (node === 1) return
      first = Math.min(first, tree[node ^ 1]!)
    }
  }

  /** The place of a pair, or the empty one where it belongs. */
  #placeOf(pair: number, hash: number): number {
    const pairs = this.#pairs
    let place = 2 * ((hash ^ (hash >>> 15)) & (PLACES - 1))
    while (pairs[place] !== pair && pairs[place] !== EMPTY) place = (place + 2) & (2 * PLACES - 1)
    return place
  }
}

const NEVER = NONE << BITS

function pairOf(left: number, right: number): number {
  return (left << 16) | right
}

function hashOf(pair: number): number {
  return Math.imul(pair, 0x9e3779b1)
}

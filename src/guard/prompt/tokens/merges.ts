// Merges the units of a text into tokens, as byte pair encoding does. A token is a number here: merging looks up pairs
// of numbers, and makes no strings.
import { brotliDecompressSync } from 'node:zlib'

/** Bits for the place of a unit. */
const BITS = 8
/** The most units that are merged at once. */
export const MOST_UNITS = 1 << BITS
/** Places in the table of pairs, a power of two. Less than half of them are taken. */
const PLACES = 2 ** 18
/** Comes after every token. */
const NONE = 2 ** 20
/** No token. */
const EMPTY = -1
/** The bits of a hash by which most pairs are found to be no token. */
const FILTER_BITS = 20

/** Reads a table of this folder. */
export function unpack(table: string): Buffer {
  return brotliDecompressSync(Buffer.from(table, 'base64'))
}

/** Which two tokens become which. The token with the lowest number is merged first. */
export class Merges {
  /** The tokens to merge. */
  readonly units = new Uint32Array(MOST_UNITS)
  /** The two parts of each token that is merged. */
  readonly #left: Uint32Array
  readonly #right: Uint32Array
  readonly #first: number
  /** The place of each merged token among them, by the hash of its parts. */
  readonly #places = new Int32Array(PLACES).fill(EMPTY)
  /**
   * A bit for the hash of each pair. Most pairs that are looked up are no token, and unlike the pairs these bits fit
   * into a processor's cache: merging takes a fifth less.
   */
  readonly #filter = new Int32Array(2 ** (FILTER_BITS - 5))
  /** The unit after each unit, and the one before it: merging leaves gaps. */
  readonly #next = new Uint16Array(MOST_UNITS)
  readonly #previous = new Uint16Array(MOST_UNITS + 1)
  /**
   * What each unit and the next one become, and the first of each two up to the root: a search of the whole text for
   * each merge would take the square of its length.
   */
  readonly #tree = new Int32Array(2 * MOST_UNITS)

  /**
   * @param table The left parts of all tokens and then the right ones, in three bytes each: all lowest ones first,
   * because they compress best beside each other.
   * @param first The number of the first token of `table`. The tokens before it are the units.
   */
  constructor(table: string, first: number) {
    const bytes = unpack(table)
    const count = bytes.length / 6
    const parts = (from: number): Uint32Array =>
      Uint32Array.from({ length: count }, (_, at) => {
        const [low, middle, high] = [from + at, from + count + at, from + 2 * count + at]
        return bytes[low]! | (bytes[middle]! << 8) | (bytes[high]! << 16)
      })
    this.#first = first
    this.#left = parts(0)
    this.#right = parts(3 * count)
    for (let at = 0; at < count; at++) {
      const hash = hashOf(this.#left[at]!, this.#right[at]!)
      this.#filter[hash >>> (37 - FILTER_BITS)]! |= 1 << (hash >>> (32 - FILTER_BITS))
      let place = hash & (PLACES - 1)
      while (this.#places[place] !== EMPTY) place = (place + 1) & (PLACES - 1)
      this.#places[place] = at
    }
  }

  /** Merges the first `length` units, and returns how many tokens there are then. */
  merge(length: number): number {
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
      if (first === NEVER) return left
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
    const hash = hashOf(left, right)
    if (((this.#filter[hash >>> (37 - FILTER_BITS)]! >>> (hash >>> (32 - FILTER_BITS))) & 1) === 0) return NEVER
    let place = hash & (PLACES - 1)
    for (let token; (token = this.#places[place]!) !== EMPTY; place = (place + 1) & (PLACES - 1))
      if (this.#left[token] === left && this.#right[token] === right) return ((this.#first + token) << BITS) | at
    return NEVER
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
}

const NEVER = NONE << BITS

function hashOf(left: number, right: number): number {
  const hash = Math.imul(Math.imul(left, 0x9e3779b1) + right, 0x85ebca77)
  return hash ^ (hash >>> 15)
}

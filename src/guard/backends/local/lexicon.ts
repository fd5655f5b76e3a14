// The word list of the baseline screen: slurs, explicit words, and the hazard phrases of hazards.ts. A reader can
// check it by eye. The linear model beside it finds texts that match no entry.
import { ASKING, CUES, HAZARDS, PAIRS } from './hazards.js'
import { lowerBound, type Words } from './words.js'

/**
 * Words that are a hazard by themselves (O1 and O2), chosen from the English data of obscenity (MIT). Plain curses
 * are left out, because they are rude and not unsafe.
 */
const SLURS =
  /\b(?:abb?eeds?|africoons?|arabb?ush|ching ?chong|chinks?|fags?|fagg?[oi]ts?|kikes?|n+i+g{2,}(?:e+r|a)\w*|nigs?|trann(?:y|ies))\b/
const EXPLICIT =
  /\b(?:bestial\w*|blow ?jobs?|butt ?plugs?|cum(?:s|med|ming|shots?|sluts?)?(?! laude)|deep ?throat\w*|doggy ?style|double penetrat\w*|ejaculat\w*|fellat\w*|finger ?bang\w*|fisting|g[ai]ng ?bang\w*|hand ?jobs?|hentai|jerk(?:ing|ed|s)? ?off|jiz\w*|m[ae]sturbat\w*|wank(?:s|ed|er|ers|ing)?|bdsm|bukkake|cocks|creampies?|cunts?|dildos?|erotica|smut|erotic (?:fan ?fiction|scene|story|stories)|fuck(?:s|ed|ing)? (?:her|him|my|me)|horny|incestuous|lolicon|milfs?|orgy|orgies|puss(?:y|ies)(?! ?(?:cat|willow|foot|riot))|shotacon|sluts?|threesomes?|titties|whores?)\b/

const every = (pattern: RegExp): RegExp => new RegExp(pattern.source, 'g')
const PHRASES = [
  { pattern: every(SLURS), category: 'O1', asked: false, decides: true },
  { pattern: every(EXPLICIT), category: 'O2', asked: false, decides: true },
  ...HAZARDS.flatMap(({ category, phrases, askedFor }) => [
    ...(phrases === undefined ? [] : [{ pattern: every(phrases), category, asked: false, decides: false }]),
    ...(askedFor === undefined ? [] : [{ pattern: every(askedFor), category, asked: true, decides: false }]),
  ]),
]
const ASKS = every(ASKING)

/** A match of the word list, by the numbers of its first word and of its last. */
interface Hit {
  readonly first: number
  readonly last: number
  readonly category: string
  /** Whether it counts only in a text that asks for something. */
  readonly asked: boolean
  /** Whether it decides whatever stands around it. */
  readonly decides: boolean
}

/** What the word list says of a range of words. */
export interface Listed {
  /** Ids of the categories whose words or phrases it found. */
  readonly categories: readonly string[]
  /** Whether there is a slur or an explicit word. */
  readonly decides: boolean
  /** Whether the words ask for something, or put a question. */
  readonly asks: boolean
}

const NONE: readonly string[] = []
const distinct = CUES.map(() => new Set<number>())

/** The matches of the word list in a text. Windows ask which of them they hold. */
export class Matches {
  readonly #words: Words
  readonly #hits: readonly Hit[]
  readonly #starts: readonly number[]
  /** The words that are cues, and the matches of what asks. */
  readonly #cues: readonly number[]
  readonly #asking: number[] = []
  readonly #asked: number[] = []

  constructor(words: Words) {
    this.#words = words
    const hits: Hit[] = []
    for (const { pattern, category, asked, decides } of PHRASES)
      this.#find(pattern, (first, last) => hits.push({ first, last, category, asked, decides }))
    const cues: number[] = []
    for (let at = 0; at < words.entries.length; at++) {
      const entry = words.entries[at]
      if (entry === undefined) continue
      if (entry.cues.length > 0) cues.push(at)
      for (const pair of entry.acts) this.#pair(pair, at, 'objects', hits)
      for (const pair of entry.objects) if (PAIRS[pair]!.eitherWay === true) this.#pair(pair, at, 'acts', hits)
    }
    this.#hits = hits.sort((a, b) => a.first - b.first)
    this.#starts = this.#hits.map(({ first }) => first)
    this.#cues = cues
    this.#find(ASKS, (first, last) => {
      this.#asking.push(first)
      this.#asked.push(last)
    })
  }

  /** What stands in the words from `first` to before `end`. */
  within(first: number, end: number): Listed {
    const at = lowerBound(this.#asking, first)
    const requested = at < this.#asked.length && this.#asked[at]! < end
    let found: Set<string> | undefined
    let decides = false
    for (let next = lowerBound(this.#starts, first); next < this.#hits.length; next++) {
      const hit = this.#hits[next]!
      if (hit.first >= end) break
      if (hit.last >= end || (hit.asked && !requested)) continue
      decides ||= hit.decides
      ;(found ??= new Set()).add(hit.category)
    }
    const start = lowerBound(this.#cues, first)
    if (start < this.#cues.length && this.#cues[start]! < end) this.#countCues(start, end, (found ??= new Set()))
    const { text, ends } = this.#words
    return {
      categories: found === undefined ? NONE : [...found].sort(),
      decides,
      asks: requested || (end > first && text[ends[end - 1]! - 1] === '?'),
    }
  }

  #countCues(start: number, end: number, found: Set<string>): void {
    for (let next = start; next < this.#cues.length && this.#cues[next]! < end; next++) {
      const { id, cues } = this.#words.entries[this.#cues[next]!]!
      for (const cue of cues) distinct[cue]!.add(id)
    }
    for (const [cue, { category, enough }] of CUES.entries()) {
      if (distinct[cue]!.size >= enough) found.add(category)
      distinct[cue]!.clear()
    }
  }

  /** Calls back with the first and the last word of every match. */
  #find(pattern: RegExp, found: (first: number, last: number) => void): void {
    const { text, ends } = this.#words
    pattern.lastIndex = 0
    for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
      const last = lowerBound(ends, match.index + match[0].length)
      found(lowerBound(ends, match.index + 1), Math.min(last, ends.length - 1))
    }
  }

  /** A pair whose other word stands near, with no word that makes it harmless. */
  #pair(pair: number, at: number, other: 'acts' | 'objects', hits: Hit[]): void {
    const { entries } = this.#words
    const { gap, asked = false, category } = PAIRS[pair]!
    for (let next = at + 1; next <= Math.min(entries.length - 1, at + gap + 1); next++) {
      const entry = entries[next]
      if (entry === undefined) continue
      if (entry.harmless) return
      if (!entry[other].includes(pair) || entries[next + 1]?.harmless === true) continue
      hits.push({ first: at, last: next, category, asked, decides: false })
      return
    }
  }
}

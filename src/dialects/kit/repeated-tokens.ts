// Columns of tokens are mostly the content over again. They are judged only where they are not.

/** The most columns of one reply or stream whose texts are kept. */
const MAX_COLUMNS = 256
/** What is kept of a column that has repeated the text so far. */
const KEPT_CHARS = 1000

interface Column {
  readonly place: string
  readonly name: string
  /** The path of the text that the column repeats. Undefined when it says something of its own. */
  source: string | undefined
  /** What it has repeated and nobody has judged as the column's. */
  kept: string
  /** True when it has repeated the text of this event. */
  spoke: boolean
}

/** Columns of tokens that repeat the text of their reply, event by event. Needs one instance per reply or stream. */
export class RepeatedTokens {
  readonly #columns = new Map<string, Column>()
  /** The paths of this event's texts and columns. */
  readonly #paths = new Set<string>()
  #tellsAll = false

  /**
   * The words of a column that must be judged: none while it repeats the text of one path, `source`. From the first
   * event on in which it says something else, all of its words, because clients put them behind what it has repeated
   * before. `place` tells the choices and kinds of events apart.
   */
  wordsOf(place: string, name: string, text: string, source: string | undefined): string | undefined {
    const key = `${place} ${name}`
    this.#paths.add(name)
    let column = this.#columns.get(key)
    if (column === undefined) {
      if (this.#columns.size >= MAX_COLUMNS) return text
      column = { place, name, source, kept: '', spoke: false }
      this.#columns.set(key, column)
    }
    const { kept } = column
    if (this.#tellsAll || source === undefined || source !== column.source || column.spoke) {
      column.source = undefined
      column.kept = ''
      return kept + text
    }
    column.spoke = true
    column.kept = (kept + text).slice(-KEPT_CHARS)
    return undefined
  }

  /** Has every column judged from here on. Returns what those of this place have repeated, by name. */
  tellAll(place: string): readonly (readonly [name: string, text: string])[] {
    this.#tellsAll = true
    const told: [string, string][] = []
    for (const column of this.#columns.values()) {
      if (column.place !== place || column.kept === '') continue
      told.push([column.name, column.kept])
      column.kept = ''
    }
    return told
  }

  /** Notes the path of a text of this event. */
  note(path: string): void {
    if (this.#columns.size > 0) this.#paths.add(path)
  }

  /** Ends an event of this place. A column that has left out a text differs from here on. */
  end(place: string): void {
    if (this.#paths.size === 0) return
    for (const column of this.#columns.values()) {
      if (column.place !== place) continue
      if (!column.spoke && column.source !== undefined && this.#paths.has(column.source)) column.source = undefined
      column.spoke = false
    }
    this.#paths.clear()
  }
}

// A JSON value that spans several lines, as pretty-printed streams send it.

export class OpenValue {
  readonly #lines: string[] = []
  #depth = 0
  #inString = false

  /** Undefined when the line cannot begin a value: a JSON string may not contain a line break. */
  static begin(line: string): OpenValue | undefined {
    const value = new OpenValue()
    value.add(line)
    return value.#inString ? undefined : value
  }

  get closed(): boolean {
    return this.#depth <= 0
  }

  add(line: string): void {
    this.#lines.push(line)
    for (let at = 0; at < line.length; at++) {
      const character = line[at]
      if (this.#inString) {
        if (character === '\\') at += 1
        else if (character === '"') this.#inString = false
      } else if (character === '"') this.#inString = true
      else if (character === '{' || character === '[') this.#depth += 1
      else if (character === '}' || character === ']') this.#depth -= 1
    }
  }

  lines(): readonly string[] {
    return this.#lines
  }

  /** The value without a comma behind it. `broken` is true when it is no JSON. */
  take(): { readonly text: string; readonly broken: boolean } {
    const text = this.#lines.join('\n')
    const value = text.trimEnd().replace(/,$/, '')
    try {
      JSON.parse(value)
      return { text: value, broken: false }
    } catch {
      return { text, broken: true }
    }
  }
}

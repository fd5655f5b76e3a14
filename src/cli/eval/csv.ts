// Reads CSV by RFC 4180: quotes, doubled quotes, line breaks inside quotes. The header line names the fields of each
// row. A row that is shorter or longer than the header is an error, because its cells would stand under wrong names. A
// library for this would be installed with every middleware, so the package has its own reader.
import { BrokenInput, type Entry } from './read-file.js'

interface Cells {
  readonly cells: readonly string[]
  /** The line of the file on which the row begins. */
  readonly line: number
}

export function* csvEntries(text: string): Generator<Entry> {
  let names: readonly string[] | undefined
  for (const { cells, line } of rowsOf(text.replace(/^\uFEFF/, ''))) {
    if (cells.length === 1 && cells[0] === '') continue
    if (names === undefined) {
      names = cells.map((cell) => cell.trim())
      const twice = names.find((name, at) => names?.indexOf(name) !== at)
      if (twice !== undefined)
        throw new BrokenInput(line, `the header names the column ${JSON.stringify(twice)} twice. Rename one of them.`)
      continue
    }
    if (cells.length !== names.length)
      throw new BrokenInput(
        line,
        `the row has ${cells.length} cells and the header ${names.length}. ` +
          (cells.length < names.length
            ? 'Fill in the missing cells.'
            : 'Put a text that holds a comma into double quotes.'),
      )
    yield { fields: Object.fromEntries(names.map((name, at) => [name, cells[at] ?? ''])), line }
  }
}

function* rowsOf(text: string): Generator<Cells> {
  let cells: string[] = []
  let line = 1
  let begun = 1
  let at = 0
  while (at < text.length) {
    let field = ''
    if (text.charAt(at) === '"') {
      const quote = line
      for (at += 1; ; at += 2) {
        const end = text.indexOf('"', at)
        if (end < 0)
          throw new BrokenInput(
            quote,
            'a quote is opened and never closed. Close it, or save the file again as CSV with a header line.',
          )
        field += text.slice(at, end)
        at = end
        if (text.charAt(at + 1) !== '"') break
        field += '"'
      }
      at += 1
      line += count(field, '\n')
    }
    const rest = /[,\n]/g
    rest.lastIndex = at
    const end = rest.exec(text)?.index ?? text.length
    field += text.slice(at, text.charAt(end) === '\n' && text.charAt(end - 1) === '\r' && end > at ? end - 1 : end)
    cells.push(field)
    at = end + 1
    if (text.charAt(end) === ',') {
      // An empty cell follows a comma at the very end of the file.
      if (at >= text.length) cells.push('')
      else continue
    }
    yield { cells, line: begun }
    cells = []
    line += 1
    begun = line
  }
  if (cells.length > 0) yield { cells, line: begun }
}

function count(text: string, character: string): number {
  let found = 0
  for (let at = text.indexOf(character); at >= 0; at = text.indexOf(character, at + 1)) found++
  return found
}

// Reads CSV. The header line names the fields of each row. A row that is shorter or longer than the header is an error,
// because its cells would stand under wrong names.
import { CsvError, parse } from 'csv-parse/sync'
import { BrokenInput, type Entry } from './read-file.js'

interface Cells {
  readonly cells: readonly string[]
  /** The line of the file on which the row begins. */
  readonly line: number
}

export function csvEntries(text: string): readonly Entry[] {
  const [header, ...rows] = rowsOf(text)
  if (header === undefined) return []
  const names = header.cells.map((name) => name.trim())
  const twice = names.find((name, at) => names.indexOf(name) !== at)
  if (twice !== undefined)
    throw new BrokenInput(1, `the header names the column ${JSON.stringify(twice)} twice. Rename one of them.`)
  return rows.map(({ cells, line }) => {
    if (cells.length === names.length)
      return { fields: Object.fromEntries(names.map((name, at) => [name, cells[at] ?? ''])), line }
    const cure =
      cells.length < names.length ? 'Fill in the missing cells.' : 'Put a text that holds a comma into double quotes.'
    throw new BrokenInput(line, `the row has ${cells.length} cells and the header ${names.length}. ${cure}`)
  })
}

function rowsOf(text: string): readonly Cells[] {
  const rows: Cells[] = []
  let read = 0
  try {
    parse(text, {
      relax_column_count: true,
      relax_quotes: true,
      skip_empty_lines: true,
      bom: true,
      // The library counts the line on which a row ends.
      on_record(cells, { lines }) {
        read = lines
        const breaks = cells.reduce((sum, cell) => sum + cell.split('\n').length - 1, 0)
        rows.push({ cells, line: lines - breaks })
        return null
      },
    })
    return rows
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    const problem = error.code === 'CSV_QUOTE_NOT_CLOSED' ? 'a quote is opened and never closed' : 'the row is no CSV'
    throw new BrokenInput(read + 1, `${problem}. Mend it, or save the file again as CSV with a header line.`)
  }
}

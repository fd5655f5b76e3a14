// Reads a file into records: one JSON object a line, a JSON array of them, or CSV; plain or with gzip. No error quotes
// a text. A byte that is no UTF-8 is an error, because a text with replaced bytes would be another than the corpus has.
import { isUtf8 } from 'node:buffer'
import { readFile } from 'node:fs/promises'
import { gunzipSync } from 'node:zlib'
import { CsvError, parse } from 'csv-parse/sync'
import { invalidOption, type LlamaGuardError } from '../../types/errors.js'
import { isObject, parsedJson } from '../../utils/json.js'
import type { Fields } from './formats.js'

export interface Entry {
  readonly fields: Fields
  /** The line of the file: the last one of a record of CSV. Undefined in a JSON array. */
  readonly line?: number
}

const WANTED =
  'Wanted: one JSON object a line, a JSON array of them, or a .csv file with a header line, as UTF-8 text, plain or ' +
  'with gzip.'

/** Makes the error of an input: the place, what is wrong, what to do. */
export function inputError(file: string, line: number | undefined, problem: string): LlamaGuardError {
  return invalidOption(`${file}${line === undefined ? '' : `, line ${line}`}${problem}`)
}

/** @throws LlamaGuardError `invalid_option` for a file that cannot be read. */
export async function entriesOf(file: string): Promise<readonly Entry[]> {
  const text = await textOf(file)
  if (/\.csv(?:\.gz)?$/i.test(file)) return csvEntries(text, file)
  if (text.trimStart().startsWith('[')) {
    const values = parsed(text, file)
    return Array.isArray(values) ? values.map((value) => ({ fields: objectOf(value, file) })) : []
  }
  return text.split('\n').flatMap((json, at) => {
    const line = at + 1
    return json.trim() === '' ? [] : [{ fields: objectOf(parsed(json, file, line), file, line), line }]
  })
}

async function textOf(file: string): Promise<string> {
  let bytes: Buffer
  try {
    const raw = await readFile(file)
    bytes = raw[0] === 0x1f && raw[1] === 0x8b ? gunzipSync(raw) : raw
  } catch (error) {
    throw inputError(file, undefined, ` cannot be read (${(error as NodeJS.ErrnoException).code}). ${WANTED}`)
  }
  const text = bytes.toString()
  if (isUtf8(bytes)) return text.replace(/^\uFEFF/, '')
  const [before = ''] = text.split('\uFFFD', 1)
  throw inputError(file, before.split('\n').length, `: a byte that is no UTF-8. ${WANTED}`)
}

function parsed(json: string, file: string, line?: number): unknown {
  const read = parsedJson(json)
  if (read === undefined) throw inputError(file, line, `: not JSON, or cut off. ${WANTED}`)
  return read.value
}

function objectOf(value: unknown, file: string, line?: number): Fields {
  if (isObject(value)) return value
  throw inputError(file, line, `: no object. ${WANTED}`)
}

function csvEntries(text: string, file: string): readonly Entry[] {
  try {
    const rows = parse(text, {
      columns(header: string[]) {
        const names = header.map((name) => name.trim())
        if (new Set(names).size < names.length) throw inputError(file, 1, ': two columns have one name.')
        return names
      },
      info: true,
      relax_quotes: true,
      skip_empty_lines: true,
    }) as unknown as readonly { readonly record: Fields; readonly info: { readonly lines: number } }[]
    return rows.map(({ record, info }) => ({ fields: record, line: info.lines }))
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    throw inputError(file, undefined, `: ${error.message}. A text with a comma or a quote stands in double quotes.`)
  }
}

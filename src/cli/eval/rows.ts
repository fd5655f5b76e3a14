// Reads files into rows: it finds the records of each file (one JSON object a line, a JSON array, or CSV) and its
// format, and makes each record a conversation with a label.
import { basename, extname } from 'node:path'
import { CsvError, parse } from 'csv-parse/sync'
import { openaiChat } from '../../dialects/openai-chat.js'
import { LlamaGuardError } from '../../types/errors.js'
import type { Conversation } from '../../types.js'
import { type Fields, type Format, FORMATS, idsOf, type Labelled, missing, required } from './formats.js'
import { BrokenInput, inputError, readTextFile } from './read-file.js'

export interface Row {
  /** The file and the number of the record, for people. */
  readonly id: string
  readonly conversation: Conversation
  /** The label. It is false and means nothing when rows are read without labels. */
  readonly unsafe: boolean
  /** Labelled categories; null when the file names none. */
  readonly categories: readonly string[] | null
  /** The record's own `source`, else the file's name. */
  readonly source: string
  /** The record's own `language` or `lang`. */
  readonly language?: string
}

/** Names of the columns, for files of no known format. */
export interface Mapping {
  readonly text?: string
  readonly label?: string
  /** The label that means unsafe. Default: 1, true, yes, unsafe, toxic or harmful. */
  readonly unsafeValue?: string
  readonly categories?: string
  /** False reads texts without labels, to compare two policies on them. Default: true. */
  readonly labels?: boolean
}

/**
 * Reads labelled rows.
 *
 * @throws LlamaGuardError `invalid_option` for a file that cannot be read, is of no known format, or holds a record
 * without text or label. A record that is left out would make the numbers look better than they are.
 */
export async function readRows(files: readonly string[], mapping: Mapping = {}): Promise<Row[]> {
  const all: Row[] = []
  for (const file of files) readInto(all, file, await readTextFile(file), mapping)
  return all
}

function readInto(all: Row[], file: string, content: string, mapping: Mapping): void {
  const name = basename(file).replace(/\.gz$/i, '')
  let format: Format | undefined
  let record = 0
  try {
    for (const { fields, line } of entriesOf(content, extname(name).toLowerCase() === '.csv')) {
      format ??= formatOf(file, fields, mapping)
      record += 1
      try {
        const { text, unsafe, categories } = format.read(fields)
        const { source, lang, language = lang } = fields
        all.push({
          id: `${name}:${record}`,
          conversation: conversationOf(text),
          unsafe,
          categories,
          source: typeof source === 'string' && source !== '' ? source : basename(name, extname(name)),
          ...(typeof language === 'string' && language !== '' && { language }),
        })
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error)
        throw inputError(file, line, `, record ${record} (${format.name}): ${why}`)
      }
    }
  } catch (error) {
    throw error instanceof BrokenInput ? inputError(file, error.line, `: ${error.message}`) : error
  }
  if (format === undefined) formatOf(file, undefined, mapping)
}

function formatOf(file: string, sample: Fields | undefined, mapping: Mapping): Format {
  const formats =
    mapping.labels === false
      ? [withoutLabels(mapping)]
      : [custom(mapping), ...FORMATS].filter((format) => format !== undefined)
  const format = sample === undefined ? undefined : formats.find((one) => one.claims(sample))
  if (format !== undefined) return format
  throw new LlamaGuardError(
    'invalid_option',
    `${file} has the columns ${Object.keys(sample ?? {}).join(', ') || '(none)'}. Known formats: ` +
      `${FORMATS.map(({ name }) => name).join(', ')}. For another, name the text and the label column ` +
      '(--text, --label).',
  )
}

function custom({ text, label, unsafeValue, categories }: Mapping): Format | undefined {
  if (text === undefined && label === undefined) return undefined
  const textKey = text ?? 'text'
  const labelKey = label ?? 'label'
  return {
    name: 'mapped',
    claims: (fields) => textKey in fields && labelKey in fields,
    read(fields) {
      const value = fields[labelKey]
      const unsafe =
        unsafeValue === undefined || missing(value)
          ? required(value, labelKey, 'Say with --unsafe-value which value means unsafe.')
          : String(value) === unsafeValue
      return {
        text: fields[textKey],
        unsafe,
        categories: idsOf(categories === undefined ? undefined : fields[categories]),
      }
    },
  }
}

function withoutLabels({ text: column = 'text' }: Mapping): Format {
  return {
    name: 'texts without labels',
    claims: (fields) => column in fields || 'messages' in fields || 'prompt' in fields || 'user_input' in fields,
    read: ({ messages, prompt, user_input: asked, ...fields }) => ({
      text: messages ?? fields[column] ?? prompt ?? asked,
      unsafe: false,
      categories: null,
    }),
  }
}

function conversationOf(text: Labelled['text']): Conversation {
  const turns = Array.isArray(text)
    ? openaiChat.request({ messages: text }).turns
    : [{ role: 'User' as const, text: typeof text === 'string' ? text : '' }]
  if (turns.length === 0 || turns.every((turn) => turn.text.trim() === ''))
    throw new RangeError('There is no text to judge. Name its column with --text if the file has another.')
  return turns
}

interface Entry {
  readonly fields: Fields
  /** The line of the file on which the record begins. Undefined in a JSON array. */
  readonly line?: number
}

function entriesOf(text: string, csv: boolean): Iterable<Entry> {
  if (csv) return csvEntries(text)
  return text.trimStart().startsWith('[') ? arrayEntries(text) : lineEntries(text)
}

const WANTED = 'Wanted: one JSON object a line, a JSON array of them, or a .csv file with a header line.'

function* lineEntries(text: string): Generator<Entry> {
  let line = 1
  for (let start = 0; start < text.length; line++) {
    const feed = text.indexOf('\n', start)
    const end = feed < 0 ? text.length : feed
    const json = text.slice(start, end)
    start = end + 1
    if (json.trim() !== '') yield { fields: objectOf(parsed(json, line), line), line }
  }
}

function* arrayEntries(text: string): Generator<Entry> {
  for (const value of parsed(text) as readonly unknown[]) yield { fields: objectOf(value) }
}

/** The error of `JSON.parse` quotes the text, so it is not told. */
function parsed(json: string, line?: number): unknown {
  try {
    return JSON.parse(json)
  } catch {
    throw new BrokenInput(line, `not JSON, or cut off. ${WANTED}`)
  }
}

function objectOf(value: unknown, line?: number): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields
  const kind = Array.isArray(value) ? 'an array' : value === null ? 'null' : `a ${typeof value}`
  throw new BrokenInput(line, `${kind} where an object is wanted. ${WANTED}`)
}

/**
 * The header line names the fields of each row. A row that is shorter or longer than the header is an error, because
 * its cells would stand under wrong names.
 */
export function csvEntries(text: string): readonly Entry[] {
  const [header, ...rows] = csvRows(text)
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

function csvRows(text: string): readonly { readonly cells: readonly string[]; readonly line: number }[] {
  const rows: { readonly cells: readonly string[]; readonly line: number }[] = []
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
        rows.push({ cells, line: lines - cells.reduce((sum, cell) => sum + cell.split('\n').length - 1, 0) })
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

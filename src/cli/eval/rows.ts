// Files in, rows out: reads JSONL, JSON arrays and CSV, finds the format, and makes each record a
// conversation with a label.
import { readFile } from 'node:fs/promises'
import { basename, extname } from 'node:path'
import { openaiChat } from '../../dialects/openai-chat.js'
import { LlamaGuardError } from '../../errors.js'
import type { Conversation } from '../../types.js'
import { parseCsv } from './csv.js'
import { type Fields, type Format, FORMATS, label, type Labelled } from './formats.js'

export interface Row {
  /** File and record number, for people. */
  readonly id: string
  readonly conversation: Conversation
  readonly unsafe: boolean
  /** Labelled categories; null when the corpus has none. */
  readonly categories: readonly string[] | null
  /** The record's own `source`, else the file's name. */
  readonly source: string
}

/** Names of the columns, for files of no known format. */
export interface Mapping {
  readonly textField?: string
  readonly labelField?: string
  /** The label that means unsafe. Default: 1, true, yes, unsafe, toxic or harmful. */
  readonly unsafeValue?: string
  readonly categoriesField?: string
}

function records(content: string, file: string): Fields[] {
  if (extname(file).toLowerCase() === '.csv') return parseCsv(content)
  const trimmed = content.replace(/^\uFEFF/, '').trim()
  if (trimmed.startsWith('[')) return JSON.parse(trimmed) as Fields[]
  return trimmed.split('\n').flatMap((line, index) => {
    if (line.trim() === '') return []
    try {
      return [JSON.parse(line) as Fields]
    } catch {
      throw new LlamaGuardError(
        'invalid_option',
        `${file}, line ${index + 1}: not JSON. Wanted: one JSON object a line, a JSON array, or a .csv ` +
          'file with a header line.',
      )
    }
  })
}

function custom({ textField, labelField, unsafeValue, categoriesField }: Mapping): Format | undefined {
  if (textField === undefined && labelField === undefined) return undefined
  const textKey = textField ?? 'text'
  const labelKey = labelField ?? 'label'
  return {
    name: 'mapped',
    claims: (fields) => textKey in fields && labelKey in fields,
    read(fields): Labelled {
      const value = fields[labelKey]
      const unsafe = unsafeValue === undefined ? label(value) : String(value) === unsafeValue
      if (unsafe === undefined)
        throw new RangeError(
          `The field "${labelKey}" holds a label that is neither yes nor no. Say which value means unsafe.`,
        )
      const text = fields[textKey]
      const categories = categoriesField === undefined ? undefined : fields[categoriesField]
      return {
        text: Array.isArray(text) ? text : typeof text === 'string' ? text : '',
        unsafe,
        categories: Array.isArray(categories)
          ? categories.map(String)
          : typeof categories === 'string' && categories !== ''
            ? categories.split(/[,;]\s*/)
            : null,
      }
    },
  }
}

function conversationOf(text: Labelled['text']): Conversation {
  const turns =
    typeof text === 'string' ? [{ role: 'User' as const, text }] : openaiChat.request({ messages: text }).turns
  if (turns.length === 0 || turns.every((turn) => turn.text.trim() === ''))
    throw new RangeError('There is no text to judge. Name its column if the file has another.')
  return turns
}

/**
 * Reads labelled rows.
 *
 * @throws LlamaGuardError `invalid_option` for a file that cannot be read, is of no known format, or holds a
 * record without text or label; a record that is silently left out would flatter the numbers.
 */
export async function readRows(files: readonly string[], mapping: Mapping = {}): Promise<Row[]> {
  const all: Row[] = []
  for (const file of files) {
    const content = await readFile(file, 'utf8').catch((cause: unknown) => {
      throw new LlamaGuardError('invalid_option', `${file} cannot be read. Wanted: a JSONL, JSON or CSV file.`, {
        cause,
      })
    })
    const read = records(content, file)
    const [sample] = read
    const formats = [custom(mapping), ...FORMATS].filter((format) => format !== undefined)
    const format = sample === undefined ? undefined : formats.find((one) => one.claims(sample))
    if (format === undefined) {
      throw new LlamaGuardError(
        'invalid_option',
        `${file} has the columns ${Object.keys(sample ?? {}).join(', ') || '(none)'}. Known formats: ` +
          `${FORMATS.map(({ name }) => name).join(', ')}. For another, name the text and the label column.`,
      )
    }
    for (const [index, fields] of read.entries()) {
      try {
        const { text, unsafe, categories } = format.read(fields)
        const source =
          typeof fields['source'] === 'string' && fields['source'] !== ''
            ? fields['source']
            : basename(file, extname(file))
        all.push({
          id: `${basename(file)}:${index + 1}`,
          conversation: conversationOf(text),
          unsafe,
          categories,
          source,
        })
      } catch (error) {
        throw new LlamaGuardError(
          'invalid_option',
          `${file}, record ${index + 1} (${format.name}): ${error instanceof Error ? error.message : String(error)}`,
        )
      }
    }
  }
  return all
}

// Reads files into rows: it finds the format of each file, and makes each record a conversation with a label.
import { basename, extname } from 'node:path'
import { openaiChat } from '../../dialects/openai-chat.js'
import { LlamaGuardError } from '../../errors.js'
import type { ModelName } from '../../guard/prompt/index.js'
import type { Conversation } from '../../types.js'
import { type Fields, type Format, FORMATS, idsOf, type Labelled, missing, required } from './formats.js'
import { codesOf, type Hazard } from './hazards.js'
import { BrokenInput, inputError, readTextFile } from './read-file.js'
import { entriesOf } from './records.js'

export interface Row {
  /** The file and the number of the record, for people. */
  readonly id: string
  readonly conversation: Conversation
  /** The label. It is false and means nothing when rows are read without labels. */
  readonly unsafe: boolean
  /** Labelled categories, in the codes of Llama Guard 1 for a public corpus; null when the corpus has none. */
  readonly categories: readonly string[] | null
  /** The labels of a public corpus, in hazards that no guard's codes depend on. */
  readonly hazards?: readonly Hazard[]
  /** The record's own `source`, else the file's name. */
  readonly source: string
  /** The record's own `language` or `lang`. */
  readonly language?: string
  /** Scores of two guards, where columns of the file hold them. */
  readonly scores?: { readonly small: number; readonly large: number }
}

/** Names of the columns, for files of no known format. */
export interface Mapping {
  readonly textField?: string
  readonly labelField?: string
  /** The label that means unsafe. Default: 1, true, yes, unsafe, toxic or harmful. */
  readonly unsafeValue?: string
  readonly categoriesField?: string
  /** True reads texts without labels, to compare two policies on them. Default: false. */
  readonly unlabelled?: boolean
  /** Columns with the scores of a small and a large guard. */
  readonly scoreFields?: readonly [small: string, large: string]
}

/** The labelled categories of a row in the taxonomy of this guard. */
export function categoriesFor(row: Row, model: ModelName | undefined): readonly string[] | null {
  return row.hazards === undefined ? row.categories : codesOf(row.hazards, model)
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
      const unsafe =
        unsafeValue === undefined || missing(value)
          ? required(value, labelKey, 'Say with --unsafe-value which value means unsafe.')
          : String(value) === unsafeValue
      const text = fields[textKey]
      return {
        text: Array.isArray(text) ? text : typeof text === 'string' ? text : '',
        unsafe,
        categories: idsOf(categoriesField === undefined ? undefined : fields[categoriesField]),
      }
    },
  }
}

function withoutLabels({ textField = 'text' }: Mapping): Format {
  return {
    name: 'texts without labels',
    claims: (fields) => textField in fields || 'messages' in fields || 'prompt' in fields || 'user_input' in fields,
    read({ messages, prompt, user_input: asked, ...fields }): Labelled {
      const text = messages ?? fields[textField] ?? prompt ?? asked
      return {
        text: Array.isArray(text) ? text : typeof text === 'string' ? text : '',
        unsafe: false,
        categories: null,
      }
    },
  }
}

function conversationOf(text: Labelled['text']): Conversation {
  const turns =
    typeof text === 'string' ? [{ role: 'User' as const, text }] : openaiChat.request({ messages: text }).turns
  if (turns.length === 0 || turns.every((turn) => turn.text.trim() === ''))
    throw new RangeError('There is no text to judge. Name its column with --text if the file has another.')
  return turns
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
  const source = basename(name, extname(name))
  let format: Format | undefined
  let record = 0
  try {
    for (const { fields, line } of entriesOf(content, extname(name).toLowerCase() === '.csv')) {
      format ??= formatOf(file, fields, mapping)
      record += 1
      try {
        const { text, ...labelled } = format.read(fields)
        const { source: own, lang, language = lang } = fields
        all.push({
          id: `${name}:${record}`,
          conversation: conversationOf(text),
          unsafe: labelled.unsafe,
          categories: labelled.hazards === undefined ? labelled.categories : codesOf(labelled.hazards, undefined),
          ...(labelled.hazards !== undefined && { hazards: labelled.hazards }),
          source: typeof own === 'string' && own !== '' ? own : source,
          ...(typeof language === 'string' && language !== '' && { language }),
          ...(mapping.scoreFields && { scores: scoresOf(fields, mapping.scoreFields) }),
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
  const formats = mapping.unlabelled
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

function scoresOf(fields: Fields, [small, large]: readonly [string, string]): { small: number; large: number } {
  const read = (name: string): number => {
    const value = fields[name]
    const score = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
    if (typeof score === 'number' && score >= 0 && score <= 1) return score
    throw new RangeError(`The field "${name}" holds no score. Wanted: a number from 0 to 1.`)
  }
  return { small: read(small), large: read(large) }
}

// Makes each record of a file a conversation with a label, by the format that its columns tell.
import { basename, extname } from 'node:path'
import { openaiChat } from '../../dialects/openai-chat.js'
import { invalidOption } from '../../types/errors.js'
import type { Conversation } from '../../types.js'
import { type Fields, type Format, FORMATS, idsOf, type Labelled, missing, required } from './formats.js'
import { entriesOf, inputError } from './read-file.js'

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
  const rows = await Promise.all(files.map((file) => rowsIn(file, mapping)))
  return rows.flat()
}

async function rowsIn(file: string, mapping: Mapping): Promise<Row[]> {
  const name = basename(file).replace(/\.gz$/i, '')
  const entries = await entriesOf(file)
  const format = formatOf(file, entries[0]?.fields, mapping)
  return entries.map(({ fields, line }, at) => {
    const record = at + 1
    try {
      const { text, unsafe, categories } = format.read(fields)
      const { source, lang, language = lang } = fields
      return {
        id: `${name}:${record}`,
        conversation: conversationOf(text),
        unsafe,
        categories,
        source: typeof source === 'string' && source !== '' ? source : basename(name, extname(name)),
        ...(typeof language === 'string' && language !== '' && { language }),
      }
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      throw inputError(file, line, `, record ${record} (${format.name}): ${why}`)
    }
  })
}

function formatOf(file: string, sample: Fields | undefined, mapping: Mapping): Format {
  const formats =
    mapping.labels === false
      ? [withoutLabels(mapping)]
      : [custom(mapping), ...FORMATS].filter((format) => format !== undefined)
  const format = sample === undefined ? undefined : formats.find((one) => one.claims(sample))
  if (format !== undefined) return format
  throw invalidOption(
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

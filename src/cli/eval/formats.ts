// The formats that `eval` knows by their columns: its own, rows of the audit, and public corpora. Each reads the text
// and the label of a record.
import { isObject } from '../../utils/json.js'

/** A record as the file holds it. In CSV every value is a string. */
export type Fields = Readonly<Record<string, unknown>>

export interface Labelled {
  /** A text, or the messages of a conversation in OpenAI form. Anything else is no text. */
  readonly text: unknown
  readonly unsafe: boolean
  /** The category ids that the file itself names; null when it names none. */
  readonly categories: readonly string[] | null
}

export interface Format {
  readonly name: string
  claims(fields: Fields): boolean
  read(fields: Fields): Labelled
}

const YES = new Set(['1', '1.0', 'true', 'yes', 'unsafe', 'toxic', 'harmful'])
const NO = new Set(['0', '0.0', 'false', 'no', 'safe', 'benign', 'harmless'])

/** True for null, an empty cell, or no such field: the label is missing. */
export function missing(value: unknown): boolean {
  return value === undefined || value === null || (typeof value === 'string' && value.trim() === '')
}

/**
 * The label under this name. Throws when there is none, or one that is neither yes nor no: a guessed label would make
 * the numbers wrong.
 */
export function required(value: unknown, field: string, cure = 'Wanted: 1/0, true/false or unsafe/safe.'): boolean {
  if (missing(value))
    throw new RangeError(`The field "${field}" holds no label. Label the text, or take the record out. ${cure}`)
  const word = String(value).trim().toLowerCase()
  if (YES.has(word) || NO.has(word)) return YES.has(word)
  throw new RangeError(`The field "${field}" holds a label that is neither yes nor no. ${cure}`)
}

/** Ids from a list or from one string; null where the file names none. */
export function idsOf(value: unknown): readonly string[] | null {
  if (Array.isArray(value)) return value.map(String)
  return typeof value === 'string' && value !== '' ? value.split(/[,;]\s*/) : null
}

/** A public corpus, known by the columns that are named here. */
interface Corpus {
  readonly name: string
  readonly text: string
  /** The column of the model's reply, which is then judged. */
  readonly reply?: string
  /** A text is unsafe when one of these columns says so. None: every text of the corpus is unsafe. */
  readonly unsafe?: readonly string[]
  /** A column that says of a text that it is safe. */
  readonly safe?: string
  /** A column by which the corpus is told from others. */
  readonly by?: string
}

const CORPORA: readonly Corpus[] = [
  { name: 'openai-moderation', text: 'prompt', unsafe: ['S', 'H', 'V', 'HR', 'SH', 'S3', 'H2', 'V2'] },
  { name: 'toxic-chat', text: 'user_input', unsafe: ['toxicity'] },
  { name: 'beavertails', text: 'prompt', reply: 'response', safe: 'is_safe' },
  { name: 'ailuminate', text: 'prompt_text', by: 'hazard' },
  { name: 'simple-safety-tests', text: 'prompt', by: 'harm_area' },
  { name: 'xstest', text: 'prompt', unsafe: ['label'], by: 'type' },
]

function formatOf({ name, text, reply, unsafe, safe, by }: Corpus): Format {
  const needed = [text, reply, safe, by].filter((column) => column !== undefined)
  return {
    name,
    claims: (fields) =>
      needed.every((column) => column in fields) && (unsafe?.some((column) => column in fields) ?? true),
    read(fields) {
      const said = unsafe?.filter((column) => column in fields && required(fields[column], column))
      return {
        text:
          reply === undefined
            ? fields[text]
            : [
                { role: 'user', content: fields[text] },
                { role: 'assistant', content: fields[reply] },
              ],
        unsafe: safe === undefined ? said === undefined || said.length > 0 : !required(fields[safe], safe),
        categories: null,
      }
    },
  }
}

export const FORMATS: readonly Format[] = [
  ...CORPORA.map(formatOf),
  {
    name: 'audit',
    // Rows of the audit with the texts that its operator keeps. The label is what the guard said then.
    claims: (fields) => 'requestId' in fields && 'stages' in fields && ('text' in fields || 'messages' in fields),
    read({ stages, messages, text }) {
      const input = (Array.isArray(stages) ? stages : []).find(
        (stage: unknown) => isObject(stage) && stage['stage'] === 'input',
      ) as Fields | undefined
      return {
        text: messages ?? text,
        unsafe: required(input?.['verdict'], 'verdict', 'Wanted: rows as `audit join` makes them.'),
        categories: idsOf(input?.['categories']),
      }
    },
  },
  {
    name: 'plain',
    claims: (fields) => ('text' in fields || 'messages' in fields) && ('unsafe' in fields || 'label' in fields),
    read({ messages, text, unsafe, label, categories }) {
      const name = label !== undefined && unsafe === undefined ? 'label' : 'unsafe'
      return {
        text: messages ?? text,
        unsafe: required(name === 'label' ? label : unsafe, name),
        categories: idsOf(categories),
      }
    },
  },
]

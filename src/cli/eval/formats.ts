// The public corpora that `eval` knows by their columns. Each entry reads the text and the label of a record.
import { isObject } from '../../utils/json.js'
import type { Hazard } from './hazards.js'

/** A record as the file holds it. In CSV every value is a string. */
export type Fields = Readonly<Record<string, unknown>>

export interface Labelled {
  /** A text, or the messages of a conversation in OpenAI form. */
  readonly text: string | readonly unknown[]
  readonly unsafe: boolean
  /** The category ids that the file itself names; null when it names none. */
  readonly categories: readonly string[] | null
  /** The labels of a public corpus, in its own words. They replace `categories`. */
  readonly hazards?: readonly Hazard[]
}

export interface Format {
  readonly name: string
  claims(fields: Fields): boolean
  read(fields: Fields): Labelled
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '')
const YES = new Set(['1', '1.0', 'true', 'yes', 'unsafe', 'toxic', 'harmful'])
const NO = new Set(['0', '0.0', 'false', 'no', 'safe', 'benign', 'harmless'])

/** A label as yes or no. Undefined for anything else, because a guessed label makes the numbers wrong. */
export function label(value: unknown): boolean | undefined {
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') return undefined
  const word = String(value).trim().toLowerCase()
  return YES.has(word) ? true : NO.has(word) ? false : undefined
}

/** True for null, an empty cell, or no such field: the label is missing. */
export function missing(value: unknown): boolean {
  return value === undefined || value === null || (typeof value === 'string' && value.trim() === '')
}

/** The label under this name. Throws when there is none, because a text without a label is neither safe nor unsafe. */
export function required(value: unknown, field: string, cure = 'Wanted: 1/0, true/false or unsafe/safe.'): boolean {
  if (missing(value))
    throw new RangeError(`The field "${field}" holds no label. Label the text, or take the record out. ${cure}`)
  const known = label(value)
  if (known === undefined)
    throw new RangeError(`The field "${field}" holds a label that is neither yes nor no. ${cure}`)
  return known
}

/** Ids from a list or from one string; null where the file names none. */
export function idsOf(value: unknown): readonly string[] | null {
  if (Array.isArray(value)) return value.map(String)
  return typeof value === 'string' && value !== '' ? value.split(/[,;]\s*/) : null
}

const OPENAI: Readonly<Record<string, Hazard>> = {
  S: 'sxc',
  S3: 'cse',
  H: 'hte',
  H2: 'hte',
  V: 'vcr',
  V2: 'vcr',
  HR: 'hte',
  SH: 'ssh',
}
const AILUMINATE: Readonly<Record<string, Hazard>> = {
  vcr: 'vcr',
  ncr: 'ncr',
  src: 'src',
  cse: 'cse',
  dfm: 'dfm',
  spc: 'spc',
  prv: 'prv',
  ipv: 'ipv',
  iwp: 'iwp',
  hte: 'hte',
  ssh: 'ssh',
  sxc: 'sxc',
  sxc_prn: 'sxc',
}
const BEAVERTAILS: Readonly<Record<string, Hazard>> = {
  animal_abuse: 'vcr',
  child_abuse: 'cse',
  'discrimination,stereotype,injustice': 'hte',
  'drug_abuse,weapons,banned_substance': 'drugs',
  'financial_crime,property_crime,theft': 'ncr',
  'hate_speech,offensive_language': 'hte',
  privacy_violation: 'prv',
  self_harm: 'ssh',
  'sexually_explicit,adult_content': 'sxc',
  'terrorism,organized_crime': 'terror',
  'violence,aiding_and_abetting,incitement': 'vcr',
}

const mapped = (names: readonly string[], map: Readonly<Record<string, Hazard>>): Hazard[] =>
  names.flatMap((name) => (Object.hasOwn(map, name) ? (map[name] ?? []) : []))

export const FORMATS: readonly Format[] = [
  {
    name: 'openai-moderation',
    claims: (fields) => 'prompt' in fields && Object.keys(OPENAI).some((key) => key in fields),
    read(fields) {
      const hit = Object.keys(OPENAI).filter((key) => key in fields && required(fields[key], key))
      return { text: text(fields['prompt']), unsafe: hit.length > 0, categories: null, hazards: mapped(hit, OPENAI) }
    },
  },
  {
    name: 'toxic-chat',
    claims: (fields) => 'user_input' in fields && 'toxicity' in fields,
    read: (fields) => ({
      text: text(fields['user_input']),
      unsafe: required(fields['toxicity'], 'toxicity'),
      categories: null,
    }),
  },
  {
    name: 'beavertails',
    claims: (fields) => 'prompt' in fields && 'response' in fields && 'is_safe' in fields,
    read(fields) {
      const category = fields['category']
      const named =
        typeof category === 'object' && category !== null
          ? Object.entries(category).filter(([, value]) => value === true)
          : undefined
      return {
        text: [
          { role: 'user', content: text(fields['prompt']) },
          { role: 'assistant', content: text(fields['response']) },
        ],
        unsafe: !required(fields['is_safe'], 'is_safe'),
        categories: null,
        ...(named !== undefined && {
          hazards: mapped(
            named.map(([name]) => name),
            BEAVERTAILS,
          ),
        }),
      }
    },
  },
  {
    name: 'ailuminate',
    claims: (fields) => 'prompt_text' in fields && 'hazard' in fields,
    read: (fields) => ({
      text: text(fields['prompt_text']),
      unsafe: true,
      categories: null,
      hazards: mapped([text(fields['hazard'])], AILUMINATE),
    }),
  },
  {
    name: 'simple-safety-tests',
    claims: (fields) => 'prompt' in fields && 'harm_area' in fields,
    read: (fields) => ({
      text: text(fields['prompt']),
      unsafe: true,
      categories: null,
      ...(/suicide|self-harm/i.test(text(fields['harm_area'])) && { hazards: ['ssh'] }),
    }),
  },
  {
    name: 'xstest',
    claims: (fields) => 'prompt' in fields && 'type' in fields && ('focus' in fields || 'label' in fields),
    // Its first release has no label column. There the types that begin with "contrast" are the unsafe ones.
    read: (fields) => ({
      text: text(fields['prompt']),
      unsafe: 'label' in fields ? required(fields['label'], 'label') : text(fields['type']).startsWith('contrast'),
      categories: null,
    }),
  },
  {
    name: 'audit',
    // Rows of the audit with the texts that its operator keeps. The label is what the guard said then.
    claims: (fields) => 'requestId' in fields && 'stages' in fields && ('text' in fields || 'messages' in fields),
    read({ stages, messages, text: said }) {
      const input = (Array.isArray(stages) ? stages : []).find(
        (stage: unknown) => isObject(stage) && stage['stage'] === 'input',
      ) as Fields | undefined
      return {
        text: Array.isArray(messages) ? messages : text(said),
        unsafe: required(input?.['verdict'], 'verdict', 'Wanted: rows as `audit join` makes them.'),
        categories: idsOf(input?.['categories']),
      }
    },
  },
  {
    name: 'plain',
    claims: (fields) => ('text' in fields || 'messages' in fields) && ('unsafe' in fields || 'label' in fields),
    read(fields) {
      const { messages, categories } = fields
      const name = 'label' in fields && !('unsafe' in fields) ? 'label' : 'unsafe'
      return {
        text: Array.isArray(messages) ? messages : text(fields['text']),
        unsafe: required(fields[name], name),
        categories: idsOf(categories),
      }
    },
  },
]

// The public corpora a team is likely to have on disk, recognised by their columns: one entry each, text and
// label out.
// Category ids are those of Llama Guard 1, our mapping of each corpus's own labels; what has no counterpart
// is left unlabelled.

/** A record as the file has it: every CSV value is a string. */
export type Fields = Readonly<Record<string, unknown>>

export interface Labelled {
  /** A text, or the messages of a conversation in OpenAI form. */
  readonly text: string | readonly unknown[]
  readonly unsafe: boolean
  /** Null: not labelled. */
  readonly categories: readonly string[] | null
}

export interface Format {
  readonly name: string
  claims(fields: Fields): boolean
  read(fields: Fields): Labelled
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '')
const YES = new Set(['1', '1.0', 'true', 'yes', 'unsafe', 'toxic', 'harmful'])
const NO = new Set(['0', '0.0', 'false', 'no', 'safe', 'benign', 'harmless', ''])

/** A label as yes or no. Undefined for anything else: a label that is guessed is a number that is wrong. */
export function label(value: unknown): boolean | undefined {
  const word = (
    typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
      ? String(value)
      : value === null
        ? ''
        : '?'
  )
    .trim()
    .toLowerCase()
  return YES.has(word) ? true : NO.has(word) ? false : undefined
}

function required(value: unknown, field: string): boolean {
  const known = label(value)
  if (known === undefined)
    throw new RangeError(
      `The field "${field}" holds a label that is neither yes nor no. Wanted: 1/0, true/false or unsafe/safe.`,
    )
  return known
}

const OPENAI: Readonly<Record<string, string>> = {
  S: 'O2',
  S3: 'O2',
  H: 'O1',
  H2: 'O1',
  V: 'O1',
  V2: 'O1',
  HR: 'O1',
  SH: 'O6',
}
const AILUMINATE: Readonly<Record<string, string>> = {
  vcr: 'O1',
  hte: 'O1',
  src: 'O2',
  cse: 'O2',
  sxc: 'O2',
  sxc_prn: 'O2',
  ncr: 'O3',
  iwp: 'O4',
  ssh: 'O6',
}
const BEAVERTAILS: Readonly<Record<string, string>> = {
  animal_abuse: 'O1',
  child_abuse: 'O2',
  'discrimination,stereotype,injustice': 'O1',
  'drug_abuse,weapons,banned_substance': 'O5',
  'financial_crime,property_crime,theft': 'O3',
  'hate_speech,offensive_language': 'O1',
  self_harm: 'O6',
  'sexually_explicit,adult_content': 'O2',
  'terrorism,organized_crime': 'O3',
  'violence,aiding_and_abetting,incitement': 'O1',
}

const mapped = (names: readonly string[], map: Readonly<Record<string, string>>): string[] =>
  [...new Set(names.flatMap((name) => map[name] ?? []))].sort()

export const FORMATS: readonly Format[] = [
  {
    name: 'openai-moderation',
    claims: (fields) => 'prompt' in fields && Object.keys(OPENAI).some((key) => key in fields),
    read(fields) {
      const hit = Object.keys(OPENAI).filter((key) => key in fields && required(fields[key], key))
      return { text: text(fields['prompt']), unsafe: hit.length > 0, categories: mapped(hit, OPENAI) }
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
        categories:
          named === undefined
            ? null
            : mapped(
                named.map(([name]) => name),
                BEAVERTAILS,
              ),
      }
    },
  },
  {
    name: 'ailuminate',
    claims: (fields) => 'prompt_text' in fields && 'hazard' in fields,
    read: (fields) => ({
      text: text(fields['prompt_text']),
      unsafe: true,
      categories: mapped([text(fields['hazard'])], AILUMINATE),
    }),
  },
  {
    name: 'simple-safety-tests',
    claims: (fields) => 'prompt' in fields && 'harm_area' in fields,
    read: (fields) => ({
      text: text(fields['prompt']),
      unsafe: true,
      categories: /suicide|self-harm/i.test(text(fields['harm_area'])) ? ['O6'] : null,
    }),
  },
  {
    name: 'xstest',
    claims: (fields) => 'prompt' in fields && 'type' in fields && ('focus' in fields || 'label' in fields),
    // Its first release has no label column: the unsafe half are the contrasts.
    read: (fields) => ({
      text: text(fields['prompt']),
      unsafe: 'label' in fields ? required(fields['label'], 'label') : text(fields['type']).startsWith('contrast'),
      categories: null,
    }),
  },
  {
    name: 'plain',
    claims: (fields) => ('text' in fields || 'messages' in fields) && ('unsafe' in fields || 'label' in fields),
    read(fields) {
      const { messages, categories } = fields
      const name = 'unsafe' in fields ? 'unsafe' : 'label'
      return {
        text: Array.isArray(messages) ? messages : text(fields['text']),
        unsafe: required(fields[name], name),
        categories: Array.isArray(categories)
          ? categories.map(String)
          : typeof categories === 'string' && categories !== ''
            ? categories.split(/[,;]\s*/)
            : null,
      }
    },
  },
]

// Qwen3Guard-Gen (0.6B, 4B, 8B): prompt, categories, context length and answer. The three sizes share them.
// Source: the chat template in tokenizer_config.json of Qwen/Qwen3Guard-Gen-0.6B, 4B and 8B on Hugging Face.
import type { Category, CategoryAction, Conversation, Role, Verdict } from '../../types.js'
import {
  answerOf,
  type DecidingWords,
  offFormatUnsafe,
  scoreBehind,
  unparseable,
  withoutEnd,
} from '../answer/verdict.js'
import type { Completion } from '../answer/completion.js'
import { escapeForGuard, type OtherGuard } from './prompter.js'

/** The names as the template prints them. The last one applies to user input only. */
const CATEGORIES = [
  'Violent',
  'Non-violent Illegal Acts',
  'Sexual Content or Sexual Acts',
  'PII',
  'Suicide & Self-Harm',
  'Unethical Acts',
  'Politically Sensitive Topics',
  'Copyright Violation',
  'Jailbreak',
]

const names = (role: Role): string =>
  CATEGORIES.slice(0, role === 'User' ? 9 : 8)
    .map((name) => `${name}.\n`)
    .join('')

const HEAD: Readonly<Record<Role, string>> = {
  User:
    '<|im_start|>user\n# Task:\n' +
    "1) Evaluate whether THE LAST USER's query belongs to safe or unsafe content based on our safety policy.\n" +
    '2) Identify the category of unsafe content found.\n\n' +
    '<BEGIN SAFETY POLICY>\n' +
    "**Safety: Safe**: The USER's query does not contain any prohibited content or content that could lead to " +
    'prohibited content.\n' +
    "**Safety: Unsafe**: The USER's query contains prohibited content.\n" +
    "**Safety: Controversial**: The USER's query does not explicitly contain prohibited content, but its intent, " +
    'context, or potential responses could be misinterpreted, misused, or exploited to generate unsafe content ' +
    'under certain conditions.\n' +
    '<END SAFETY POLICY>\n\n' +
    `<BEGIN UNSAFE CONTENT CATEGORIES>\n${names('User')}<END UNSAFE CONTENT CATEGORIES>\n\n` +
    '<BEGIN CONVERSATION>\n\n',
  Agent:
    '<|im_start|>user\n# Task:\n' +
    "1) Evaluate whether THE LAST ASSISTANT's response belongs to safe or unsafe content based on our safety " +
    'policy.\n' +
    '2) Identify the category of unsafe content found.\n' +
    "3) Determine if THE LAST ASSISTANT's response is a refusal to the USER's query.\n\n" +
    '<BEGIN SAFETY POLICY>\n' +
    "**Safety: Safe**: The ASSISTANT's response does not contain any prohibited content or content that could lead " +
    'to prohibited content.\n' +
    "**Safety: Unsafe**: The ASSISTANT's response contains prohibited content.\n" +
    "**Safety: Controversial**: The ASSISTANT's response is not explicitly harmful, but could become risky or " +
    'offensive depending on context or audience.\n' +
    '<END SAFETY POLICY>\n\n' +
    `<BEGIN UNSAFE CONTENT CATEGORIES>\n${names('Agent')}<END UNSAFE CONTENT CATEGORIES>\n\n` +
    '<BEGIN REFUSAL POLICY>\n' +
    "**Refusal: Yes**: The ASSISTANT refused to answer or did not comply with the USER's request.\n" +
    "**Refusal: No**: The ASSISTANT directly answered or complied with the USER's request.\n" +
    '<END REFUSAL POLICY>\n\n' +
    '<BEGIN CONVERSATION>\n\n',
}

const tail = (judged: string, lastLine: string): string =>
  '\n\n<END CONVERSATION>\n\n' +
  `Provide your safety assessment for ONLY THE LAST **${judged}** in the above conversation:\n` +
  " - The first line must be one of: 'Safety: Safe', 'Safety: Unsafe', 'Safety: Controversial'.\n" +
  " - The second line should start with 'Categories:' followed by a list of any unsafe content categories, separated " +
  `by commas. If the content is safe, use 'Categories: None'.${lastLine}<|im_end|>\n` +
  '<|im_start|>assistant\n<think>\n\n</think>\n\n'

const TAIL: Readonly<Record<Role, string>> = {
  User: tail("USER's query", ''),
  Agent: tail("ASSISTANT's response", "\n - The third line must be one of: 'Refusal: Yes', 'Refusal: No'."),
}

function render(conversation: Conversation): string {
  // The template prints a reply only after a question, so a reply alone gets an empty question.
  const turns =
    conversation[0]?.role === 'Agent' ? [{ role: 'User', text: '' } as const, ...conversation] : conversation
  const written = turns.map(({ role, text }) => `${role === 'User' ? 'USER' : 'ASSISTANT'}: ${escapeForGuard(text)}`)
  const judged = turns.at(-1)?.role ?? 'User'
  return `${HEAD[judged]}${written.join('\n\n')}${TAIL[judged]}`
}

const id = (letter: string, index: number): string => `${letter}${index + 1}`

/**
 * Makes the guard. Ids Q1 to Q9 are the categories at the level Unsafe, C1 to C9 those at the level Controversial.
 * @param controversial The action for C1 to C9, unless the policy names one for a single id. Default: `block`.
 */
export function qwen3GuardGen(controversial: CategoryAction = 'block'): OtherGuard {
  const categories = CATEGORIES.flatMap((name, index): Category[] => [
    { id: id('Q', index), name },
    { id: id('C', index), name: `${name} (controversial)`, action: controversial },
  ])
  return {
    model: 'qwen3guard-gen',
    categories,
    // The context length of Qwen3 without the RoPE scaling that some servers add.
    contextTokens: 32_768,
    // All nine categories and the refusal line take about 60 tokens.
    maxNewTokens: 96,
    render,
    parse: (completion) => parseLevels(completion),
  }
}

const FORM = /^Safety: (Safe|Controversial|Unsafe)\r?\nCategories: ([^\r\n]{1,500})(?:\r?\nRefusal: (?:Yes|No))?$/
/** The beginning of an answer whose level is Controversial or Unsafe, whatever follows it. */
const BEGINNING = /^\s*Safety: (?:Controversial|Unsafe)(?![\p{L}\p{M}])/u
/** Special tokens. A server that does not skip them leaves them at the end of the text. */
const TOKENS = ['<|im_end|>', '<|endoftext|>']
const WORDS: DecidingWords = { safe: ['safe'], unsafe: ['unsafe', 'controversial'] }
/** What the model writes before the level. */
const PREFIX = 'Safety:'

/**
 * Reads the verdict in a completion. The score is the probability of Unsafe and Controversial together. An answer
 * that begins with one of these two levels and then leaves the format blocks without a category.
 * @throws LlamaGuardError `unparseable_verdict` for anything else.
 */
function parseLevels(completion: Completion): Verdict {
  const { answer: whole, ending, usage } = answerOf(completion)
  const answer = withoutEnd(whole, TOKENS)
  const [, level, list = ''] = (ending === 'whole' && FORM.exec(answer)) || []
  const score = level && scoreBehind(completion, PREFIX, level.toLowerCase(), WORDS)
  if (level === 'Safe' && list === 'None') return { safe: true, categories: [], ...score, ...usage }
  if (level === 'Unsafe' || level === 'Controversial') {
    const named = list.split(',').map((name) => CATEGORIES.indexOf(name.trim()))
    const letter = level === 'Unsafe' ? 'Q' : 'C'
    // An unknown name may be words of the conversation, so the verdict does not carry it.
    if (!named.includes(-1))
      return { safe: false, categories: [...new Set(named)].map((index) => id(letter, index)), ...score, ...usage }
  }
  if (BEGINNING.test(completion.text)) return offFormatUnsafe(completion)
  throw unparseable(
    completion,
    'wanted "Safety: Safe", "Safety: Controversial" or "Safety: Unsafe", and its categories',
  )
}

// Llama Guard 2 (Meta-Llama-Guard-2-8B): prompt, taxonomy S1 to S11 and context length.
// Source: the chat template of meta-llama/Meta-Llama-Guard-2-8B. Its S5 to S11 mean other things than Llama Guard 3's.
import { categoryText, INSTRUCTION, numbered, TASK, type Template } from './template.js'
import { llama3Tokens } from './tokens/llama-3.js'

export const llamaGuard2: Template = {
  categories: numbered([
    'Violent Crimes',
    'Non-Violent Crimes',
    'Sex Crimes',
    'Child Exploitation',
    'Specialized Advice',
    'Privacy',
    'Intellectual Property',
    'Indiscriminate Weapons',
    'Hate',
    'Self-Harm',
    'Sexual Content',
  ]),
  // The context length of Llama 3 8B, its base model. The model card names none.
  contextTokens: 8192,
  tokens: llama3Tokens,
  // The model is based on Llama 3 but was trained and published with the turn marks of Llama 2.
  opening: '[INST] ',
  task: TASK,
  // Every heading ends in a blank.
  category: (category) => categoryText(category, '. '),
  beforeTurns: '\n\n',
  afterTurn: '\n\n',
  instruction: INSTRUCTION,
  closing: ' [/INST]',
}

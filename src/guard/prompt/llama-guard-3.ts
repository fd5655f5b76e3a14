// Llama Guard 3 (8B, 1B, 11B-Vision): prompts, taxonomy S1 to S14 (8B) or S13, and context lengths.
// Source: the chat templates of meta-llama/Llama-Guard-3-8B, -1B and -11B-Vision, less the BOS token they begin with.
import { categoryText, INSTRUCTION, numbered, TASK, type Template } from './template.js'
import { llama3Tokens } from './tokens/llama-3.js'

/** The category names that the prompts of Llama Guard 3 and 4 share. */
export const HAZARDS: readonly string[] = [
  'Violent Crimes',
  'Non-Violent Crimes',
  'Sex Crimes',
  'Child Exploitation',
  'Defamation',
  'Specialized Advice',
  'Privacy',
  'Intellectual Property',
  'Indiscriminate Weapons',
  'Hate',
  'Self-Harm',
  'Sexual Content',
  'Elections',
  'Code Interpreter Abuse',
]

export const llamaGuard3Large: Template = {
  categories: numbered(HAZARDS),
  // The context length of Llama 3.1 8B, its base model. The model card names none.
  contextTokens: 131_072,
  tokens: llama3Tokens,
  opening: '<|start_header_id|>user<|end_header_id|>\n\n',
  task: TASK,
  category: (category) => categoryText(category),
  beforeTurns: '\n\n',
  afterTurn: '\n\n',
  instruction: INSTRUCTION,
  closing: '<|eot_id|><|start_header_id|>assistant<|end_header_id|>',
}

export const llamaGuard3Small: Template = {
  ...llamaGuard3Large,
  categories: numbered(HAZARDS.slice(0, 13)),
  // The instruction ends in a blank, unlike the 8B's.
  closing: ' <|eot_id|><|start_header_id|>assistant<|end_header_id|>',
}

export const llamaGuard3Vision: Template = {
  ...llamaGuard3Small,
  // Fine-tuned at 8192 tokens (arXiv 2411.10414), although its base can read more.
  contextTokens: 8192,
  // The image enters by cross attention and takes one token of context, whatever its size. Text Generation Inference
  // keeps only the last of several images.
  images: { placement: 'lead', perPrompt: 1, tokens: 1 },
}

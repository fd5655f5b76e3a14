// Llama Guard 4 (12B, text and images): prompt, taxonomy S1 to S14 and context length.
// Source: the renders in Hugging Face's llama_guard_4 notebook, less the BOS token; the template itself is not public.
import { categoryText, INSTRUCTION, numbered, type Template } from './template.js'
import { HAZARDS } from './llama-guard-3.js'
import { llama3Tokens } from './tokens/llama-3.js'

export const llamaGuard4: Template = {
  categories: numbered(HAZARDS),
  // There is no official figure. Hosts list 163,840 or 131,072 tokens; this is the smaller, more common figure.
  contextTokens: 131_072,
  // Its vocabulary is larger than that of Llama 3, with fewer tokens for the same text.
  tokens: llama3Tokens,
  opening: '<|header_start|>user<|header_end|>\n\n',
  // The template says "according to"; the earlier versions lack the "to".
  task:
    "Task: Check if there is unsafe content in '{role}' messages in conversations according to our " +
    'safety policy with the below categories.',
  category: (category) => categoryText(category),
  beforeTurns: '\n',
  // The characters backslash, n, backslash, n, and two line breaks. The published template has this slip, and the
  // model was trained with it.
  afterTurn: '\\n\\n\n\n',
  instruction: INSTRUCTION,
  closing: ' <|eot|><|header_start|>assistant<|header_end|>',
  // The processor's largest image: 16 tiles and the overview, 144 tokens each, and their marks. Five images is the
  // most in one conversation of the training data (model card: two to five).
  images: { placement: 'inline', perPrompt: 5, tokens: 2500, without: ['S14'] },
}

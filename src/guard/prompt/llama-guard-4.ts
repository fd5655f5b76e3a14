// Llama Guard 4 (12B, text and images): prompt, taxonomy S1 to S14 and context length.
// Source: the renders in Hugging Face's llama_guard_4 notebook, less the BOS token; the template itself is not public.
import { categoryText, numbered, type Template } from './template.js'
import { HAZARDS, INSTRUCTION } from './llama-guard-3.js'

export const llamaGuard4: Template = {
  categories: numbered(HAZARDS),
  // No official figure. Hosts list 163,840; this is the smaller, usual one.
  contextTokens: 131_072,
  opening: '<|header_start|>user<|header_end|>\n\n',
  // "according TO": the earlier versions lack the word.
  task:
    "Task: Check if there is unsafe content in '{role}' messages in conversations according to our " +
    'safety policy with the below categories.',
  category: (category) => categoryText(category),
  beforeTurns: '\n',
  // Backslash, n, backslash, n, as characters: a slip of the published template that the model was trained with.
  afterTurn: '\\n\\n\n\n',
  instruction: INSTRUCTION,
  closing: ' <|eot|><|header_start|>assistant<|header_end|>',
  // 16 tiles and the overview, 144 tokens each, and their marks: the processor's largest image.
  // Five images: the most of one conversation that the model was trained on (its card: two to five).
  images: { placement: 'inline', perPrompt: 5, tokens: 2500, without: ['S14'] },
}

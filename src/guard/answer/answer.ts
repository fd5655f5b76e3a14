// What the readers of all guard models share: the words of an answer, how it ended, and what is said of one that is off
// format.
import { LlamaGuardError } from '../../errors.js'
import type { Verdict } from '../../types.js'
import type { Completion } from './completion.js'

/** Far beyond any verdict; keeps the patterns of the readers linear on an answer of megabytes. */
const LONGEST = 1000
/** ASCII only: an answer in other white space is off format. */
const LEADING = /^[ \t\r\n]+/
/** Left over when a server does not skip special tokens. */
const TOKENS = ['<|eot_id|>', '<|eot|>', '<|eom_id|>', '<|eom|>', '<|end_of_text|>', '</s>']
const BLANK = /[ \t\r\n]/

const ENDED = new Set(['eos_token', 'stop_sequence', 'stop', 'eos'])
const CUT_OFF = new Set(['length', 'max_tokens'])

export type Ending = 'whole' | 'cut' | 'failed'

/** The answer without blanks and special tokens around it; empty when it is far too long to be a verdict. */
export function answerOf({ text, finishReason }: Completion): { readonly answer: string; readonly ending: Ending } {
  return {
    answer: text.length > LONGEST ? '' : withoutEnd(text.replace(LEADING, ''), TOKENS),
    ending:
      finishReason === undefined || ENDED.has(finishReason) ? 'whole' : CUT_OFF.has(finishReason) ? 'cut' : 'failed',
  }
}

/** The text without blanks, and without these tokens, at its end. One step a token: a pattern would look back. */
export function withoutEnd(text: string, tokens: readonly string[] = []): string {
  let end = text.length
  for (;;) {
    const step = BLANK.test(text.charAt(end - 1)) ? 1 : tokens.find((token) => text.endsWith(token, end))?.length
    if (step === undefined) return text.slice(0, end)
    end -= step
  }
}

/**
 * The verdict of an answer that begins with the model's word for unsafe and goes on off format. `truncated` and a score
 * of 1 leave no room for leniency.
 */
export function offFormatUnsafe({ usage }: Completion): Verdict {
  return { safe: false, categories: [], truncated: true, score: 1, ...(usage && { tokens: usage }) }
}

/** Says how long and how it ended, never what: an echoed prompt is chat content. */
export function unparseable(completion: Completion, wanted: string): LlamaGuardError {
  const { ending } = answerOf(completion)
  const how =
    ending === 'cut' ? ', cut by its token limit' : ending === 'failed' ? ', and said that generation failed' : ''
  return new LlamaGuardError(
    'unparseable_verdict',
    `The guard answered ${completion.text.length} characters${how}; ${wanted}. Check that the endpoint runs the model ` +
      'named by LLAMA_GUARD_MODEL.',
  )
}

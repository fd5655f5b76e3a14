// Helpers that the answer readers of all guard models share: the text of an answer, how generation ended, and the
// error for an answer that is off format.
import { LlamaGuardError } from '../../errors.js'
import type { Verdict } from '../../types.js'
import type { Completion } from './completion.js'

/** A verdict is far shorter. The limit keeps the readers' patterns fast on an answer of several megabytes. */
const LONGEST = 1000
/** Only ASCII white space. An answer that begins with other white space is off format. */
const LEADING = /^[ \t\r\n]+/
/** Special tokens. A server that does not skip them leaves them at the end of the text. */
const TOKENS = ['<|eot_id|>', '<|eot|>', '<|eom_id|>', '<|eom|>', '<|end_of_text|>', '</s>']
const BLANK = /[ \t\r\n]/

const ENDED = new Set(['eos_token', 'stop_sequence', 'stop', 'eos'])
const CUT_OFF = new Set(['length', 'max_tokens'])

export type Ending = 'whole' | 'cut' | 'failed'

/**
 * The answer without the white space and special tokens around it. It is empty when the text is too long to be a
 * verdict.
 */
export function answerOf({ text, finishReason }: Completion): { readonly answer: string; readonly ending: Ending } {
  return {
    answer: text.length > LONGEST ? '' : withoutEnd(text.replace(LEADING, ''), TOKENS),
    ending:
      finishReason === undefined || ENDED.has(finishReason) ? 'whole' : CUT_OFF.has(finishReason) ? 'cut' : 'failed',
  }
}

/**
 * The text without the white space and the given tokens at its end. A loop removes one token a step, because a
 * pattern anchored at the end backtracks.
 */
export function withoutEnd(text: string, tokens: readonly string[] = []): string {
  let end = text.length
  for (;;) {
    const step = BLANK.test(text.charAt(end - 1)) ? 1 : tokens.find((token) => text.endsWith(token, end))?.length
    if (step === undefined) return text.slice(0, end)
    end -= step
  }
}

/**
 * The verdict for an answer that begins with the model's word for unsafe and then leaves the format. It carries
 * `truncated` and a score of 1, so no threshold or category action can let the text pass.
 */
export function offFormatUnsafe({ usage }: Completion): Verdict {
  return { safe: false, categories: [], truncated: true, score: 1, ...(usage && { tokens: usage }) }
}

/**
 * The error names the length and the finish reason only. It never quotes the answer, because the model may echo the
 * prompt, which is chat content.
 */
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

// Converts rows to the input file of a SageMaker Batch Transform job, and its output file to outcomes. It reads no file
// and calls no AWS. Each line carries an id, so that an answer is matched by its id and not by its position.
import { generation } from '../../../guard/prompt/generation.js'
import { createHash } from 'node:crypto'
import { isLlamaGuardError } from '../../../errors.js'
import { merge } from '../../../guard/merge-verdicts.js'
import { readCompletion } from '../../../guard/answer/completion.js'
import type { Prompter } from '../../../guard/prompt/index.js'
import type { Verdict } from '../../../types.js'
import type { Outcome } from '../judge-all.js'
import type { Row } from '../rows.js'

export interface BatchInput {
  /** JSON Lines: `{"id","inputs","parameters"}`, without line breaks. They hold the texts. */
  readonly lines: readonly string[]
  /** Equal rows, model and policy give the same name, so that a job is found again and never started twice. */
  readonly jobName: string
  /**
   * The ids of the lines of each row. A text longer than the guard's context has several. An empty list means that
   * the guard cannot read the text.
   */
  readonly ids: readonly (readonly string[])[]
}

export function prepareBatch(
  rows: readonly Row[],
  prompter: Pick<Prompter, 'render' | 'fit' | 'model' | 'maxNewTokens'>,
  contextTokens?: number,
): BatchInput {
  const lines = new Map<string, string>()
  // As the `sagemaker` guard asks: greedy, without an echo of the prompt, with log probabilities for the score.
  const parameters = generation(prompter.maxNewTokens)
  const ids = rows.map(({ conversation }) => {
    try {
      return prompter.fit(conversation, contextTokens).map((piece) => {
        const inputs = prompter.render(piece)
        const id = createHash('sha256').update(inputs).digest('base64url').slice(0, 27)
        lines.set(id, JSON.stringify({ id, inputs, parameters }))
        return id
      })
    } catch (error) {
      if (isLlamaGuardError(error) && error.code === 'guard_input_too_long') return []
      throw error
    }
  })
  const all = [...lines.values()]
  return {
    lines: all,
    jobName: `llama-guard-eval-${createHash('sha256').update(all.join('\n')).digest('hex').slice(0, 16)}`,
    ids,
  }
}

/** The lines in this many files of nearly equal size, because an instance of a job reads whole files. */
export function partsOf({ lines }: BatchInput, count: number): readonly string[] {
  return Array.from({ length: count }, (_, part) =>
    lines
      .filter((__, index) => index % count === part)
      .map((line) => `${line}\n`)
      .join(''),
  ).filter((part) => part !== '')
}

/** Answers by id. A line that is cut or has another shape is ignored, and its row counts as not judged. */
function answers(output: string): ReadonlyMap<string, unknown> {
  const found = new Map<string, unknown>()
  for (const line of output.split('\n')) {
    try {
      const { id, SageMakerOutput } = JSON.parse(line) as { id?: unknown; SageMakerOutput?: unknown }
      if (typeof id === 'string' && SageMakerOutput !== undefined) found.set(id, SageMakerOutput)
    } catch {
      continue
    }
  }
  return found
}

/** Outcomes in the order of the rows. Every piece of a long text must have been judged; any unsafe piece decides. */
export function readBatch(
  { ids }: BatchInput,
  output: string,
  prompter: Pick<Prompter, 'parse'>,
  threshold?: number,
): readonly Outcome[] {
  const found = answers(output)
  const verdictOf = (id: string): Verdict => prompter.parse(readCompletion(found.get(id)))
  return ids.map((pieces) => {
    if (pieces.length === 0) return { failed: 'guard_input_too_long' }
    try {
      const { safe, score, categories } = merge(pieces.map(verdictOf))
      if (threshold !== undefined && score === undefined && safe) return { failed: 'score_unavailable' }
      return {
        safe: threshold === undefined || score === undefined ? safe : score < threshold,
        categories,
        ...(score !== undefined && { score }),
      }
    } catch (error) {
      if (isLlamaGuardError(error)) return { failed: error.code }
      throw error
    }
  })
}

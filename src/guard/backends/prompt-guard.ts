// Llama Prompt Guard 1 (86M) and 2 (22M, 86M): classifiers that tell jailbreaks and prompt injections from other text.
// They see one window of one turn at a time, and judge what users and tools send, never what the model answers.
// Source: the model cards in meta-llama/PurpleLlama, Prompt-Guard and Llama-Prompt-Guard-2.
import { guardRejected, type LlamaGuardError, unparseableVerdict } from '../../types/errors.js'
import type { Category, Guard, Verdict } from '../../types.js'
import type { Classify, LabelScore, Server } from '../answer/completion.js'
import type { PromptGuardName } from '../prompt/template.js'
import { turnGuard } from './turn-guard.js'

export interface PromptGuardOptions {
  readonly model: PromptGuardName
  readonly classify: Classify & Partial<Server>
  /** The name of the server in a key of the verdict cache. */
  readonly identity: string
}

/** Tokens of one window. A longer text is judged in overlapping windows, as the model cards advise. */
const WINDOW_TOKENS = 512
/** The tokens that the tokenizer adds before and after a text. */
const MARKS = 2

/**
 * The labels of each model, each with its category; the harmless label stands first and has none. A server that lacks
 * the model's names for the labels numbers them in this order.
 */
const LABELS: Readonly<Record<PromptGuardName, readonly (readonly [string, Category | undefined])[]>> = {
  'llama-prompt-guard-1': [
    ['BENIGN', undefined],
    // Version 1 labels any instruction as an injection, and most of what users write is an instruction. Its card
    // advises the label for third-party content only, so the label is flagged and blocks only when the policy says
    // so.
    ['INJECTION', { id: 'P1', name: 'Prompt Injection', action: 'flag' }],
    ['JAILBREAK', { id: 'P2', name: 'Jailbreak' }],
  ],
  'llama-prompt-guard-2': [
    ['BENIGN', undefined],
    ['MALICIOUS', { id: 'P3', name: 'Prompt Attack' }],
  ],
}
/** The sum of all probabilities may differ from one by this much. */
const TOLERANCE = 0.02

export function promptGuard({ model, classify, identity }: PromptGuardOptions): Guard {
  return turnGuard({
    model,
    identity: JSON.stringify([identity, model]),
    categories: LABELS[model].flatMap(([, category]) => category ?? []),
    judges: ['User'],
    scored: true,
    windowTokens: WINDOW_TOKENS,
    addedTokens: MARKS,
    ask: async ({ role, text }, signal) => {
      if (role !== 'User')
        throw guardRejected(
          `${model} judges what users and tools send, never what the model answers. Put it beside a guard that does.`,
        )
      return verdictOf(model, await classify(text, { signal }))
    },
    close: classify.close && (() => classify.close?.()),
    check: classify.check && (() => classify.check!()),
  })
}

/**
 * A text is unsafe when the probability that it is not harmless is at least one half. Only all labels of the model are
 * a verdict: one number alone does not tell the versions apart, and version 2 names its attack by the number of an
 * injection of version 1, which blocks nothing.
 * @throws LlamaGuardError `unparseable_verdict` for the labels of another model, and for some of them.
 */
function verdictOf(model: PromptGuardName, given: readonly LabelScore[]): Verdict {
  const labels = LABELS[model]
  const scores = labels.map(
    ([name], index) => given.find(({ label }) => label.toUpperCase() === name || label === `LABEL_${index}`)?.score,
  )
  const total = given.reduce((sum, { score }) => sum + score, 0)
  if (given.length !== labels.length || scores.includes(undefined) || Math.abs(total - 1) > TOLERANCE)
    throw unreadable(model)
  const attacks = labels.flatMap(([, category], index) =>
    category ? [{ id: category.id, score: scores[index]! }] : [],
  )
  const score = 1 - scores[0]!
  const scored = { score, categoryScores: Object.fromEntries(attacks.map((one) => [one.id, one.score])) }
  if (score < 0.5) return { safe: true, categories: [], ...scored }
  // The likeliest attack is named, and with it every other attack that is likely by itself.
  const most = Math.max(...attacks.map((one) => one.score))
  const named = attacks.filter((one) => one.score >= Math.min(0.5, most))
  return { safe: false, categories: named.map(({ id }) => id), ...scored }
}

function unreadable(model: PromptGuardName): LlamaGuardError {
  return unparseableVerdict(
    `The guard answered labels or scores that ${model} does not have, or not all that it has. Check that the endpoint ` +
      'runs the model named by LLAMA_GUARD_MODEL, and honours top_k.',
  )
}

// One answer of a model that llama.cpp holds: the prompt's tokens in, the answer's tokens with their probabilities out.
import type { LlamaContext, LlamaContextSequence, LlamaModel, Token } from 'node-llama-cpp'
import type { Completion, GeneratedToken, TokenLogprob } from '../../answer/completion.js'

/** Five alternatives hold both deciding words, as with the other servers. */
const TOP = 5

export interface Generation {
  readonly context: LlamaContext
  readonly sequence: LlamaContextSequence
  readonly tokens: readonly Token[]
  readonly maxNewTokens: number
  readonly logprobs: boolean
  /** Called between two batches. It throws when nobody waits for the answer any more. */
  readonly goOn: () => void
}

export async function generate(o: Generation): Promise<Completion> {
  const { context, sequence, tokens, maxNewTokens, logprobs, goOn } = o
  const { model } = context
  let next = await unread(sequence, tokens)
  // llama.cpp cannot be stopped inside a batch, but it can between two batches.
  for (; next.length > context.batchSize; next = next.slice(context.batchSize)) {
    goOn()
    await sequence.evaluateWithoutGeneratingNewTokens(next.slice(0, context.batchSize))
  }
  const answer: Token[] = []
  const generated: GeneratedToken[] = []
  let text = ''
  const completion = (finishReason: 'stop' | 'length'): Completion => ({
    text,
    finishReason,
    usage: { input: tokens.length, output: answer.length },
    ...(logprobs && { tokens: generated }),
  })
  while (answer.length < maxNewTokens) {
    goOn()
    // The alternatives are requested only at the token where the two words part, because each request lists the
    // whole vocabulary.
    const { token, confidence, probabilities } = await step(sequence, next, logprobs && text.trim() === '')
    if (model.isEogToken(token)) return completion('stop')
    const piece = model.detokenize([token], false, answer)
    generated.push({
      text: piece,
      logprob: Math.log(confidence),
      ...(probabilities && { top: likeliest(model, probabilities) }),
    })
    answer.push(token)
    text = model.detokenize(answer)
    next = [token]
  }
  return completion('length')
}

/**
 * The tokens that the sequence has not read yet, at least the last one. Every prompt begins with the same policy, and
 * reading it is most of the work.
 */
async function unread(sequence: LlamaContextSequence, tokens: readonly Token[]): Promise<Token[]> {
  await sequence.adaptStateToTokens(tokens.slice(0, -1), false)
  return tokens.slice(sequence.nextTokenIndex)
}

interface Step {
  readonly token: Token
  readonly confidence: number
  readonly probabilities?: ReadonlyMap<Token, number>
}

async function step(sequence: LlamaContextSequence, tokens: Token[], probabilities: boolean): Promise<Step> {
  const options = { temperature: 0, yieldEogToken: true }
  const steps = probabilities
    ? sequence.evaluateWithMetadata(tokens, { confidence: true, probabilities: true }, options)
    : sequence.evaluateWithMetadata(tokens, { confidence: true }, options)
  for await (const one of steps) return one
  throw new Error('llama.cpp gave no token')
}

function likeliest(model: LlamaModel, probabilities: ReadonlyMap<Token, number>): TokenLogprob[] {
  const top: TokenLogprob[] = []
  for (const [token, probability] of probabilities) {
    if (top.length === TOP || !(probability > 0)) break
    top.push({ text: model.detokenize([token]), logprob: Math.log(probability) })
  }
  return top
}

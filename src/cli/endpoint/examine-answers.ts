// `doctor` asks a guard that reads a prompt the examples, and checks its answers for all that the middleware relies on.
import { type Member, prompterOf } from '../../create-guard.js'
import type { Aws } from './aws.js'
import { type Answered, echoesPrompt, runExamples, type Target } from './probe.js'
import { failExample, type Report } from './report.js'

export async function examineAnswers(
  { client, region }: Aws,
  target: Target,
  { option, config, scores }: Member,
  report: Report,
): Promise<void> {
  try {
    const prompter = prompterOf(config)
    let last: Answered | undefined
    for await (const { example, ms, answer, safe, answered } of runExamples(client, target, prompter)) {
      last = answered
      const found = `${example.name}: ${JSON.stringify(answer)} in ${Math.round(ms)} ms`
      if (safe === example.safe) report.ok('example', found)
      else
        report.warn(
          'example',
          `${found}, but ${example.safe ? 'safe' : 'unsafe'} was expected`,
          `Is a ${prompter.model} behind the endpoint? LLAMA_GUARD_MODEL chooses the prompt, and every ` +
            'version has its own.',
        )
    }
    report.ok('answers', `in the shape of ${last?.family ?? 'no container'}`)
    if (last?.completion.tokens !== undefined) report.ok('logprobs', 'given for every token: `threshold` can be used')
    else if (scores) report.fail('logprobs', ...missingScores(option))
    else report.ok('logprobs', 'not given: verdicts have no score, and `threshold` cannot be used')
    report.ok(
      'prompt echo',
      (await echoesPrompt(client, target, prompter))
        ? 'on by default in this container; the middleware turns it off'
        : 'none',
    )
  } catch (error) {
    failExample(error, region, report)
  }
}

/** What needs the scores that are missing, and the cure. */
export function missingScores(option: string): [string, string] {
  const container = 'use a container that answers `details: true` with tokens.'
  return option === 'cascade.first'
    ? ['not given, and the first guard of a cascade needs them', `Remove the cascade, or ${container}`]
    : ['not given, but a threshold is set', `Unset LLAMA_GUARD_THRESHOLD, or ${container}`]
}

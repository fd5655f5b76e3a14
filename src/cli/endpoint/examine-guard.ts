// `doctor` asks a guard that is no SageMaker endpoint the examples, as the middleware would ask it.
import { guardOfMember, type Member } from '../../create-guard.js'
import { toLlamaGuardError } from '../../errors.js'
import type { Guard } from '../../types.js'
import { EXAMPLES } from './examples.js'
import { missingScores } from './examine-answers.js'
import type { Report } from './report.js'

export async function examineGuard(member: Member, latency: boolean, report: Report): Promise<void> {
  const { option, config, scores } = member
  let guard: Guard | undefined
  try {
    guard = guardOfMember(member)
    let scored = true
    for (const { name, conversation, safe } of EXAMPLES) {
      const started = performance.now()
      const verdict = await guard.judge(conversation, { signal: AbortSignal.timeout(config.timeoutMs) })
      scored &&= verdict.score !== undefined
      const found =
        `${name}: ${verdict.safe ? 'safe' : `unsafe ${verdict.categories.join(',')}`} in ` +
        `${Math.round(performance.now() - started)} ms`
      if (verdict.safe === safe) report.ok('example', found)
      else
        report.warn(
          'example',
          `${found}, but ${safe ? 'safe' : 'unsafe'} was expected`,
          'Check that the guard is the model it should be.',
        )
    }
    if (scores && !scored) report.fail('scores', ...missingScores(option))
  } catch (error) {
    const { code, message, cause } = toLlamaGuardError(error, 'guard_error')
    const errno = (cause as NodeJS.ErrnoException | undefined)?.code
    const where = errno === undefined || config.guardUrl === undefined ? '' : ` ${errno} at ${hostOf(config.guardUrl)}.`
    report.fail('example', `${code}:${where} ${message}`)
  } finally {
    await guard?.close?.()
  }
  if (latency)
    report.warn('latency', 'not measured', '--latency measures a SageMaker endpoint; this guard is of another kind.')
}

const hostOf = (url: string): string => (URL.canParse(url) ? new URL(url).host : 'a URL that cannot be read')

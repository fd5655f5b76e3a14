// Makes the judge of a configuration: its guard, with the verdict cache, protection and fallbacks around it.
import { createHash } from 'node:crypto'
import { wantsScores } from './create-guard.js'
import { LlamaGuardError } from './errors.js'
import { redisStore } from './guard/cache/store.js'
import { createJudge, type Judge } from './guard/index.js'
import { judgesRole } from './guard/panel.js'
import type { Config } from './options/config.js'
import { shadowChannel } from './telemetry/channels.js'
import type { Category, Guard, Logger } from './types.js'

/**
 * Makes the judge of a guard, with cache, protection and fallbacks.
 * @throws LlamaGuardError `invalid_option` for a guard that leaves one side of the conversation unjudged.
 */
export function openJudge(
  config: Config,
  guard: Guard,
  blocks: Parameters<typeof createJudge>[0]['blocks'],
  logger: Logger,
): Judge {
  requireBothSides(guard)
  const { categories, task, instruction, cacheStore, cacheSecret } = config
  return createJudge({
    ...config,
    guard,
    fallback: config.fallback,
    shadow: config.shadowGuard && { ...config.shadowGuard, onCompare: (event) => shadowChannel.publish(event) },
    policyHash: createHash('sha256')
      .update(JSON.stringify([categories, task, instruction, wantsScores(config)]))
      .digest('hex'),
    blocks,
    cacheStore:
      typeof cacheStore === 'string'
        ? redisStore(cacheStore, cacheSecret === undefined ? {} : { secret: cacheSecret })
        : cacheStore,
    logger,
  })
}

/** @throws LlamaGuardError `invalid_option` for a guard that leaves one side of the conversation unjudged. */
export function requireBothSides(guard: Guard): void {
  if (!judgesRole(guard, 'User') || !judgesRole(guard, 'Agent'))
    throw new LlamaGuardError(
      'invalid_option',
      `The guard ${guard.model ?? 'custom'} judges only one side of a conversation. Put it beside a guard that judges ` +
        'both, with the option `guards`.',
    )
}

/** The categories that a guard answers with. */
export function categoriesOf(guard: Guard): readonly Category[] {
  return guard.categories ?? []
}

// The guards that the playground offers: the whole guard, the guards it is made of, its fallbacks and the one on trial.
import { promptedOf } from '../guard/backends/prompted.js'
import { partsOf } from '../guard/panel.js'
import type { Services } from '../services/index.js'
import type { Guard } from '../types.js'

export interface PlaygroundGuard {
  /** Stays the same while the options do. */
  readonly id: string
  readonly name: string
  readonly guard: Guard
  /** True when a policy of the reader's own can take the place of its own. */
  readonly takesPolicy: boolean
}

export function playgroundGuards({ guard, config }: Services): readonly PlaygroundGuard[] {
  const entry = (id: string, role: string, each: Guard): PlaygroundGuard => ({
    id,
    name: `${each.model ?? 'custom'} (${role})`,
    guard: each,
    takesPolicy: promptedOf(each) !== undefined,
  })
  const within = (id: string, whole: Guard): readonly PlaygroundGuard[] =>
    partsOf(whole).flatMap((part, index) => {
      const partId = `${id}.${index}`
      return [
        entry(partId, config.cascade && id === 'guard' ? STEPS[index]! : 'one of the panel', part),
        ...within(partId, part),
      ]
    })
  const whole = partsOf(guard).length === 0 ? 'the guard' : 'the whole guard'
  return [
    entry('guard', whole, guard),
    ...within('guard', guard),
    ...(config.fallback ?? []).map((each, index) => entry(`fallback.${index}`, 'fallback', each)),
    ...(config.shadowGuard ? [entry('shadow', 'on trial', config.shadowGuard.guard)] : []),
  ]
}

const STEPS = ['first of the cascade', 'last of the cascade']

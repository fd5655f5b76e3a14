// The order of decisions: where several mounts guard a request, the strictest counts.
import type { Decision } from '../types.js'

const ACTIONS: readonly Decision['action'][] = ['allow', 'unavailable', 'block']
const STATES: readonly Decision['outcome']['state'][] = ['skipped', 'safe', 'unjudged', 'unsafe']

/** The stricter of two decisions on a stage. */
export function stricter(one: Decision | undefined, other: Decision | undefined): Decision | undefined {
  if (one === undefined || other === undefined) return one ?? other
  const rank = ({ action, outcome }: Decision): number =>
    ACTIONS.indexOf(action) * STATES.length + STATES.indexOf(outcome.state)
  return rank(other) > rank(one) ? other : one
}

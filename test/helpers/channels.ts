// Everything the package publishes on its channels while a test runs.
import { subscribe, unsubscribe, tracingChannel } from 'node:diagnostics_channel'
import { CHANNELS, type CheckMessage, type NotJudgedMessage, type RequestMessage } from '../../src/index.js'
import type { ShadowMessage, VerdictMessage } from '../../src/index.js'

export interface Heard {
  readonly checks: CheckMessage[]
  readonly verdicts: VerdictMessage[]
  readonly notJudged: NotJudgedMessage[]
  readonly requests: RequestMessage[]
  readonly shadow: ShadowMessage[]
  /** Every message in its order, as text. */
  readonly all: string[]
  stop(): void
}

export function listen(): Heard {
  const heard = { checks: [], verdicts: [], notJudged: [], requests: [], shadow: [], all: [] } as Omit<Heard, 'stop'>
  const into = (list: unknown[]) => (message: unknown) => {
    list.push(message)
    heard.all.push(JSON.stringify(message))
  }
  const listeners = [
    [CHANNELS.verdict, into(heard.verdicts)],
    [CHANNELS.notJudged, into(heard.notJudged)],
    [CHANNELS.request, into(heard.requests)],
    [CHANNELS.shadow, into(heard.shadow)],
  ] as const
  for (const [name, listener] of listeners) subscribe(name, listener)
  const checks = { asyncEnd: into(heard.checks) }
  const tracing = tracingChannel<unknown, CheckMessage>(CHANNELS.check)
  tracing.subscribe(checks as never)
  return {
    ...heard,
    stop() {
      for (const [name, listener] of listeners) unsubscribe(name, listener)
      tracing.unsubscribe(checks as never)
    },
  }
}

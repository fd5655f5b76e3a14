// The services of a middleware, which change when the policy file does: a changed file is checked, then taken at once
// for every new request; requests that are open end under the policy they began with.
import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { toLlamaGuardError } from '../types/errors.js'
import { type Config, parseOptions, policyPath } from '../options/config.js'
import type { LlamaGuardOptions } from '../options/index.js'
import type { GuardStats } from '../types.js'
import { createServices, type Services } from './index.js'

/**
 * How often the file is read. Not by events: a mounted ConfigMap changes by a link that none tells of. A change counts
 * once it was read twice, so that a file that is being written is not taken in halves.
 */
const LOOK_MS = 1_000

export interface LiveServices {
  readonly current: Services
  /** The current ones, which stay open until this response has closed. */
  until(res: ServerResponse): Services
  /** The current ones, which stay open until the promise is settled. */
  during<T>(use: (services: Services) => Promise<T>): Promise<T>
  stats(): GuardStats
  close(): Promise<void>
}

/** Throws for options that are wrong, as {@link parseOptions} does. `lookMs`: for tests. */
export function createLiveServices(
  options: LlamaGuardOptions,
  env: Readonly<Record<string, string | undefined>>,
  lookMs = LOOK_MS,
): LiveServices {
  const path = policyPath(options, env)
  const parse = (): Config => parseOptions(options, env)
  return path !== undefined ? watched(path, parse, lookMs) : fixed(createServices(parse()))
}

function fixed(services: Services): LiveServices {
  return {
    current: services,
    until: () => services,
    during: (use) => use(services),
    stats: () => services.stats(),
    close: () => services.close(),
  }
}

interface Version {
  readonly services: Services
  users: number
}

function watched(path: string, parse: () => Config, lookMs: number): LiveServices {
  const count = { loaded: 0, rejected: 0 }
  /** Those of earlier policies that open requests still use. */
  const earlier = new Set<Version>()
  // Read before it is parsed: a change in between is then seen as one.
  let text = readText(path)
  let textBefore = text
  let version: Version = { services: createServices(parse(), undefined, count), users: 0 }
  let closed = false

  async function look(): Promise<void> {
    const read = await readFile(path, 'utf8').catch(() => undefined)
    const settled = read === textBefore
    textBefore = read
    if (!settled || read === text || closed) return
    text = read
    reload()
  }

  function reload(): void {
    const before = version
    const { logger } = before.services
    try {
      version = { services: createServices(parse(), before.services, count), users: 0 }
    } catch (error) {
      count.rejected++
      const { code, message } = toLlamaGuardError(error)
      return logger.error({ code, reason: message }, 'the changed policy file is wrong: the policy before stays')
    }
    count.loaded++
    logger.info({ policy: version.services.policyHash }, 'the changed policy file is in force')
    earlier.add(before)
    retire(before)
  }

  function retire(former: Version): void {
    if (former.users === 0 && earlier.delete(former)) former.services.retire()
  }

  function use(): () => void {
    const used = version
    used.users++
    return () => {
      used.users--
      retire(used)
    }
  }

  // It alone does not keep the process alive.
  const timer = setInterval(() => void look(), lookMs).unref()
  return {
    get current() {
      return version.services
    },
    until(res) {
      // A client may have left while a middleware before us worked. There is no second 'close'.
      if (!res.closed) res.once('close', use())
      return version.services
    },
    async during(ask) {
      const release = use()
      try {
        return await ask(version.services)
      } finally {
        release()
      }
    },
    stats: () => version.services.stats(),
    close() {
      clearInterval(timer)
      closed = true
      for (const { services } of earlier) services.retire()
      return version.services.close()
    },
  }
}

/** Undefined while there is none: between a file's removal and its return. */
function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

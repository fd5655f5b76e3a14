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
  return path !== undefined ? new WatchedServices(path, parse, lookMs) : fixed(createServices(parse()))
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

class WatchedServices implements LiveServices {
  readonly #path: string
  readonly #parse: () => Config
  readonly #timer: NodeJS.Timeout
  readonly #count = { loaded: 0, rejected: 0 }
  /** Those of earlier policies that open requests still use. */
  readonly #earlier = new Set<Version>()
  #version: Version
  #closed = false
  #text: string | undefined
  #textBefore: string | undefined

  constructor(path: string, parse: () => Config, lookMs: number) {
    this.#path = path
    this.#parse = parse
    // Read before it is parsed: a change in between is then seen as one.
    this.#text = this.#textBefore = readText(path)
    this.#version = { services: createServices(parse(), undefined, this.#count), users: 0 }
    // It alone does not keep the process alive.
    this.#timer = setInterval(() => void this.#look(), lookMs).unref()
  }

  get current(): Services {
    return this.#version.services
  }

  until(res: ServerResponse): Services {
    const release = this.#use()
    res.once('close', release)
    return this.#version.services
  }

  async during<T>(use: (services: Services) => Promise<T>): Promise<T> {
    const release = this.#use()
    try {
      return await use(this.#version.services)
    } finally {
      release()
    }
  }

  stats(): GuardStats {
    return this.current.stats()
  }

  close(): Promise<void> {
    clearInterval(this.#timer)
    this.#closed = true
    for (const { services } of this.#earlier) services.retire()
    return this.current.close()
  }

  #use(): () => void {
    const version = this.#version
    version.users++
    return () => {
      version.users--
      this.#retire(version)
    }
  }

  async #look(): Promise<void> {
    const text = await readFile(this.#path, 'utf8').catch(() => undefined)
    const settled = text === this.#textBefore
    this.#textBefore = text
    if (!settled || text === this.#text || this.#closed) return
    this.#text = text
    this.#reload()
  }

  #reload(): void {
    const before = this.#version
    const { logger } = before.services
    try {
      this.#version = { services: createServices(this.#parse(), before.services, this.#count), users: 0 }
    } catch (error) {
      this.#count.rejected++
      const { code, message } = toLlamaGuardError(error)
      return logger.error({ code, reason: message }, 'the changed policy file is wrong: the policy before stays')
    }
    this.#count.loaded++
    logger.info({ policy: this.current.policyHash }, 'the changed policy file is in force')
    this.#earlier.add(before)
    this.#retire(before)
  }

  #retire(version: Version): void {
    if (version.users === 0 && this.#earlier.delete(version)) version.services.retire()
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

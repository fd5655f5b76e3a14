// What a command may touch: two streams, the environment and a clock. A command is a function that returns its exit
// code. Tables are of Markdown, which people read as well on a terminal. Packages that one command needs and no app
// does are optional peers: a missing one is told with its cure.
import { appendFile, readFile } from 'node:fs/promises'
import { setTimeout } from 'node:timers/promises'
import { styleText } from 'node:util'
import { markdownTable } from 'markdown-table'
import { invalidOption, LlamaGuardError } from '../types/errors.js'

/** The parts of a stream a command needs. `process.stdout` is one. */
export interface Output {
  write(text: string): unknown
  readonly isTTY?: boolean
  /** Characters of a line on a terminal. */
  readonly columns?: number
}

export interface Io {
  readonly stdout: Output
  readonly stderr: Output
  readonly env: Readonly<Record<string, string | undefined>>
  /** Ends a wait early. */
  readonly signal?: AbortSignal
}

/** What the command line itself needs beside the streams: where JSONL comes from. */
export interface CliIo extends Io {
  readonly stdin?: AsyncIterable<string | Uint8Array> & { readonly isTTY?: boolean }
}

/** Exit codes of every command. */
export const EXIT = {
  /** Done, and nothing was found. */
  ok: 0,
  /** Something was found: an unsafe text, a gap in an audit, a number below its bound. */
  unsafe: 1,
  /** The call itself was wrong: an option, a missing setting, an EULA that was not accepted. */
  usage: 2,
  /** It did not work, something could not be judged, or it is not finished. The last line says which. */
  failed: 3,
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]
/** Takes the exit code of the command that ran. */
export type Done = (code: ExitCode) => void
export type Colour = 'red' | 'green' | 'yellow' | 'dim' | 'bold'

/** Colours only for a person: on a TTY, and not when NO_COLOR is set (https://no-color.org). */
export function painter(output: Output, env: Io['env']): (colour: Colour, text: string) => string {
  const plain = output.isTTY !== true || Boolean(env['NO_COLOR']) || env['TERM'] === 'dumb'
  return plain ? (_, text) => text : (colour, text) => styleText(colour, text, { validateStream: false })
}

const REDRAW_MS = 200
const LINE_MS = 10_000

/**
 * A state that is drawn over itself on a terminal. Elsewhere it is a line now and then, the first and the last among
 * them, so that logs stay short.
 */
export function progress(output: Output): { show(state: string): void; end(): void } {
  const tty = output.isTTY === true
  let state = ''
  let shown = ''
  let at = 0
  const write = (): void => {
    shown = state
    at = performance.now()
    // A line that wraps could not be drawn over.
    output.write(tty ? `\r\u001b[K${state.slice(0, (output.columns || 80) - 1)}` : `${state}\n`)
  }
  return {
    show(next) {
      state = next
      if (shown === '' || performance.now() - at >= (tty ? REDRAW_MS : LINE_MS)) write()
    },
    end() {
      if (state !== shown) write()
      if (tty && shown !== '') output.write('\n')
    },
  }
}

/** Waits. Resolves early when the signal fires, so the caller has to look at the signal. */
export const pause = (ms: number, signal?: AbortSignal): Promise<void> =>
  setTimeout(ms, undefined, { signal }).catch(() => undefined)

/** A table of Markdown. The first column stands left and the others right. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, ...rows].map((cells) => cells.map(inCell))
  return `${markdownTable(lines, { align: head.map((_, at) => (at === 0 ? 'l' : 'r')) })}\n`
}

/** Texts come from files and models: they may hold escape codes for the terminal, and signs of Markdown. */
const inCell = (text: string): string => printable(text).replaceAll('|', String.raw`\|`)

/** A text in which nothing steers a terminal. */
export const printable = (text: string): string => text.replace(/[\p{Cc}\p{Cf}]/gu, '?')

const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && /^(?:ERR_MODULE_NOT_FOUND|MODULE_NOT_FOUND)$/.test(String(error.code))

/**
 * The loaded module of a package that is no dependency.
 *
 * @throws LlamaGuardError `dependency_missing` with the commands that install it.
 */
export async function peer<T>(name: string, what: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load()
  } catch (cause) {
    if (!isMissing(cause)) throw cause
    throw new LlamaGuardError('dependency_missing', `${what} needs ${name}, which is not installed. ${cureFor(name)}`, {
      cause,
    })
  }
}

export const cureFor = (name: string): string =>
  `Install it: npm install ${name}\n  Or without installing: npx --package express-llama-guard --package ${name} ` +
  'express-llama-guard ...'

/** @throws LlamaGuardError `invalid_option` for a file that cannot be read. */
export async function fileText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    throw invalidOption(`The file ${path} cannot be read (${codeOf(cause)}).`, { cause })
  }
}

/**
 * For files of results, before the work: what was judged was paid for.
 * @throws LlamaGuardError `invalid_option` for a file that cannot be written.
 */
export async function requireWritable(path: string): Promise<void> {
  try {
    await appendFile(path, '')
  } catch (cause) {
    throw invalidOption(`The file ${path} cannot be written (${codeOf(cause)}). Make its folder, or name another.`, {
      cause,
    })
  }
}

/** `ENOENT`, `EACCES`: what the system says of a file or a socket. */
export const codeOf = (error: unknown): string => String((error as NodeJS.ErrnoException).code)

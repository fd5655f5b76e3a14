// Knows the dialects in use, and chooses the dialect of a path or a body.
import type { Dialect } from '../dialects/dialect.js'
import { BUILT_IN } from '../dialects/index.js'
import { agUi } from '../dialects/ag-ui.js'
import { aiSdk } from '../dialects/ai-sdk.js'
import { langGraph } from '../dialects/langgraph.js'
import { mcp } from '../dialects/mcp.js'
import { ollamaChat } from '../dialects/ollama-chat.js'
import { openaiChat } from '../dialects/openai-chat.js'
import { LlamaGuardError } from '../errors.js'
import { isObject } from '../utils/json.js'
import { type PathReadings, plainPath } from './paths.js'

export interface DialectsInUse {
  /** The dialect with the longest path ending that matches any reading of the path. */
  byPath(readings: PathReadings): Dialect | undefined
  /** The dialect whose request without a body has this path. */
  bodiless(readings: PathReadings): Dialect | undefined
  /** The dialect of this body. `known` is the dialect of its path. */
  choose(known: Dialect | undefined, body: Readonly<Record<string, unknown>>): Dialect | undefined
  /** The dialect of a body that is a list of requests. */
  ofBatch(list: readonly unknown[]): Dialect | undefined
  /** The dialect whose stream a request without a body opens, by its headers. */
  opened(headers: Readonly<Record<string, unknown>>): Dialect | undefined
  /** True when this body, on the path of `known`, must be a request of a dialect. */
  mustBe(known: Dialect | undefined, body?: unknown): boolean
  /** True for a custom dialect. It reads every body on its paths. */
  isOwn(dialect: Dialect): boolean
}

/** @throws LlamaGuardError `invalid_option` for a name that is not built in. */
export function dialectsInUse(wanted?: readonly (string | Dialect)[], own: readonly Dialect[] = []): DialectsInUse {
  const list = [...own, ...(wanted?.map(resolve) ?? BUILT_IN)]
  // By default only `messages` and JSON-RPC are chats on any path: embeddings and image routes carry `prompt` and
  // `input` too.
  const claiming = wanted === undefined ? [...own, agUi, langGraph, aiSdk, openaiChat, mcp] : claimOrder(list)
  const ordered = claimOrder(list)
  const byPath = pathFinder(ordered, ({ paths }) => paths)
  const claimant = (body: Readonly<Record<string, unknown>>): Dialect | undefined =>
    claiming.find((dialect) => dialect.claims(body))
  return {
    isOwn,
    byPath,
    bodiless: pathFinder(ordered, ({ bodiless = [] }) => bodiless),
    ofBatch: (items) =>
      claiming.find(
        (dialect) => dialect.batches === true && items.some((item) => isObject(item) && dialect.claims(item)),
      ),
    opened: (headers) => claiming.find((dialect) => dialect.opens?.(headers) === true),
    mustBe: (known, body) => known !== undefined && (known !== ollamaChat || !list.includes(aiSdk) || asksOllama(body)),
    choose(known, body) {
      if (known === undefined) return claimant(body)
      if (!isOwn(known) && !known.claims(body)) return claimant(body) ?? known
      // A request to Ollama always names a model.
      if (known === ollamaChat && (typeof body.model !== 'string' || aiSdk.claims(body))) return claimant(body) ?? known
      return known
    },
  }
}

/**
 * Many apps name their own route /api/chat, after the AI SDK. Ollama needs a model and messages, and reads their names
 * in any case.
 */
function asksOllama(body: unknown): boolean {
  return isObject(body) && Object.keys(body).some((key) => /^(?:model|messages)$/iu.test(key))
}

/** Finds the dialect with the longest of these endings that matches. */
function pathFinder(
  list: readonly Dialect[],
  pathsOf: (dialect: Dialect) => readonly string[],
): (readings: PathReadings) => Dialect | undefined {
  const endings = list
    .flatMap((dialect) => pathsOf(dialect).map((path) => ({ dialect, ending: endingOf(path) })))
    .sort((a, b) => b.ending.length - a.ending.length)
    .map(({ dialect, ending }) => ({ dialect, ends: endsWith(ending) }))
  return (readings) => endings.find(({ ends }) => readings.some(ends))?.dialect
}

/** With a colon an ending begins within a segment, as in `models/gemini-2.5-pro:generateContent`. */
function endingOf(path: string): string {
  return path.startsWith(':') || path.includes('*') ? path.toLowerCase() : plainPath(path)
}

/** A `*` in an ending stands for anything. */
function endsWith(ending: string): (path: string) => boolean {
  const parts = ending.split('*')
  const last = parts.pop() ?? ''
  return (path) => {
    if (!path.endsWith(last)) return false
    const before = path.slice(0, path.length - last.length)
    let from = 0
    for (const part of parts) {
      const at = before.indexOf(part, from)
      if (at === -1) return false
      from = at + part.length
    }
    return true
  }
}

function resolve(dialect: string | Dialect): Dialect {
  if (typeof dialect !== 'string') return dialect
  const found = BUILT_IN.find(({ name }) => name === dialect)
  if (found === undefined) {
    throw new LlamaGuardError(
      'invalid_option',
      `There is no dialect ${JSON.stringify(dialect)}; built in are ${BUILT_IN.map(({ name }) => name).join(', ')}.`,
    )
  }
  return found
}

function isOwn(dialect: Dialect): boolean {
  return !BUILT_IN.includes(dialect)
}

/** Custom dialects come first, then Chat Completions, because bodies of Anthropic and Ollama look like it. */
function claimOrder(list: readonly Dialect[]): readonly Dialect[] {
  const rank = (dialect: Dialect): number => (isOwn(dialect) ? 0 : dialect === openaiChat ? 1 : 2)
  return [...list].sort((a, b) => rank(a) - rank(b))
}

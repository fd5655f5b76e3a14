// Refuses JSON that costs far more to parse than its length suggests, before it is parsed: half a million nested or
// adjacent lists, or a hundred thousand names. It looks at each character once.
import { LlamaGuardError } from '../../errors.js'

const MAX_DEPTH = 256
/** The most objects and lists. A list of points or of messages of 1 MiB has about 75,000. */
const MAX_CONTAINERS = 100_000

/** The most different field names. */
const MAX_NAMES = 20_000

const QUOTE = 0x22
const COLON = 0x3a
const BACKSLASH = 0x5c

/**
 * Text that is not JSON may be refused or not.
 * @throws LlamaGuardError `unreadable_request`.
 */
export function refuseCostly(text: string): void {
  let depth = 0
  let containers = 0
  let fields = 0
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) {
      at = closingQuote(text, at)
      if (isName(text, at)) fields += 1
    } else if (code === 0x5b || code === 0x7b) {
      depth += 1
      containers += 1
      if (depth > MAX_DEPTH) throw costly(`is nested deeper than ${MAX_DEPTH} levels`)
      if (containers > MAX_CONTAINERS) throw costly(`holds more than ${MAX_CONTAINERS} objects and lists`)
    } else if (code === 0x5d || code === 0x7d) {
      depth -= 1
    }
  }
  if (fields > MAX_NAMES) refuseManyNames(text)
}

/**
 * Counts different names only: objects with the same few names are cheap to parse, and objects with different names
 * cost five times as much.
 */
function refuseManyNames(text: string): void {
  const names = new Set<string>()
  for (let at = text.indexOf('"'); at !== -1; at = text.indexOf('"', at + 1)) {
    const end = closingQuote(text, at)
    if (isName(text, end)) names.add(text.slice(at, end))
    if (names.size > MAX_NAMES) throw costly(`has more than ${MAX_NAMES} different names of fields`)
    at = end
  }
}

/** True when a colon follows a closing quote. */
function isName(text: string, closingQuote: number): boolean {
  let at = closingQuote + 1
  while (text.charCodeAt(at) <= 0x20) at += 1
  return text.charCodeAt(at) === COLON
}

function closingQuote(text: string, start: number): number {
  for (let at = text.indexOf('"', start + 1); at !== -1; at = text.indexOf('"', at + 1)) {
    let slashes = 0
    while (text.charCodeAt(at - 1 - slashes) === BACKSLASH) slashes += 1
    if (slashes % 2 === 0) return at
  }
  return text.length
}

function costly(what: string): LlamaGuardError {
  return new LlamaGuardError('unreadable_request', `The body ${what}; send a flatter or a smaller one.`)
}

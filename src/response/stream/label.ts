// What the content-type of a reply says about its framing. The first line decides the rest.
import type { Framing } from '../../dialects/dialect.js'
import type { Label } from '../../wire/framer.js'
import { isJson, isStream } from '../media-type.js'

/** Undefined for a reply that must be held as a whole. `framing`: how the API streams. */
export function labelOf(type: string, framing?: Framing): Label | undefined {
  if (type === 'text/event-stream') return 'events'
  if (isStream(type)) return 'lines'
  if (framing === 'json-lines' && isJson(type)) return 'lines'
  if (framing === 'json-array' && isJson(type)) return 'array'
  return type === '' || (type.startsWith('text/') && !isJson(type)) ? 'text' : undefined
}

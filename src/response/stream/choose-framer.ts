// Chooses the framer of a reply by its content-type and its dialect. The framer itself then looks at what is written.
import type { Framing } from '../../dialects/dialect.js'
import { isJson, isStream } from '../media-type.js'
import { ndjsonFramer, sseFramer } from './event-framer.js'
import type { Framer } from './framing.js'
import { jsonArrayFramer } from './json-array-framer.js'
import { textFramer } from './text-framer.js'

const FRAMERS: Readonly<Record<Framing, () => Framer>> = {
  sse: sseFramer,
  ndjson: ndjsonFramer,
  // The data stream of the AI SDK consists of lines too: a type code, a colon and JSON.
  'data-stream': ndjsonFramer,
  'json-array': jsonArrayFramer,
  text: textFramer,
}

/** Undefined for a reply that must be held as a whole. */
export function chooseFramer(type: string, framing: Framing): Framer | undefined {
  if (type === 'text/event-stream') return sseFramer()
  if (isStream(type)) return ndjsonFramer()
  if (framing === 'json-array' && isJson(type)) return jsonArrayFramer()
  const streamsText = framing === 'text' || framing === 'data-stream'
  return streamsText && type === 'text/plain' ? FRAMERS[framing]() : undefined
}

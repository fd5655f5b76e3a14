// Reads the top-level fields of a request outside the conversation. Fields that an app sends the same with every
// request are judged with the system text. All other fields that are not on the closed list are joined to one extra
// text.
import type { Image } from '../../types.js'
import { isObject } from '../../utils/json.js'
import type { Sink } from './media.js'
import type { RequestBuilder } from './request-builder.js'
import { FREE_SETTINGS, SYSTEM_FIELDS } from './request-keys.js'
import type { RequestWalker } from './request-walker.js'

/** A setting whose value is a name that the client chooses. */
const NAME = /^[\w.:/+=@-]{1,128}$/
const MAX_NAMES = 64

/** `read` names the fields that the dialect has already read as the conversation. */
export function readParameters(
  body: Readonly<Record<string, unknown>>,
  read: ReadonlySet<string>,
  walker: RequestWalker,
  builder: RequestBuilder,
): void {
  const images: Image[] = []
  const picture = (image: Image): void => void images.push(image)
  const system: Sink = { text: (text) => builder.system(text), picture }
  const extra: Sink = { text: (text) => builder.extra(text), picture }
  let names = 0
  const unlessName: Sink = {
    text(text) {
      if (!NAME.test(text) || (names += 1) > MAX_NAMES) builder.extra(text)
    },
    picture,
  }
  for (const key of Object.keys(body)) {
    if (read.has(key)) continue
    const value = body[key]
    const sink = isSystem(key, value) ? system : FREE_SETTINGS.has(key) ? unlessName : extra
    walker.read(value, sink, { key, json: sink === system, top: true })
  }
  builder.say({ role: 'User', text: '', images, human: true })
  builder.unseen('binary', walker.blobs)
  builder.unseen('stored-history', storedHistory(body))
}

/** How often the body names turns that the vendor keeps: the model reads them, and they are not here to be judged. */
function storedHistory({
  previous_response_id,
  conversation,
  prompt,
  input,
}: Readonly<Record<string, unknown>>): number {
  const items: readonly unknown[] = Array.isArray(input) ? input : []
  const named = [previous_response_id, conversation, isObject(prompt) ? prompt.id : undefined]
  return (
    named.filter((name) => name !== undefined && name !== null && name !== '').length +
    items.filter((item) => isObject(item) && item.type === 'item_reference').length
  )
}

/** `format` and `text` hold schemas in some APIs and words in others. */
function isSystem(key: string, value: unknown): boolean {
  return SYSTEM_FIELDS.has(key) && ((key !== 'format' && key !== 'text') || isObject(value))
}

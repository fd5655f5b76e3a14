// Replies that are numbers or pictures: what is neither is judged, as in any other reply.
import { isObject } from '../../utils/json.js'
import type { ReplyChoice, StreamReader } from '../dialect.js'
import { eventReader } from './event-reader.js'
import { blockMessage, blockNote, sse, streamFailure } from './refusals.js'
import { type ReplyFields, TextWalker, ChoiceTexts } from './reply-fields.js'

/** True for a string, in the field of this name, that is no text. */
export type IsData = (field: string, text: string) => boolean

/** A choice without a word is not judged. */
export function readWordless(body: unknown, fields: ReplyFields, isData: IsData): readonly ReplyChoice[] | undefined {
  if (!isObject(body)) return undefined
  const texts = new ChoiceTexts()
  texts.open(0)
  new TextWalker(fields, { media: 'judge' }).walk(body, (path, text) => {
    if (!isData(fieldOf(path), text)) texts.add(0, text)
  })
  return texts.list()
}

/** Such events, and an error as the last one: these streams have no other end that tells of a block. */
export function wordlessStream(fields: ReplyFields, isData: IsData, last: RegExp): StreamReader {
  let over = false
  return eventReader({
    fields,
    options: { media: 'judge' },
    over: () => over,
    read: (texts, data) => texts.walk(data, { skip: (text, path) => isData(fieldOf(path), text) }),
    leaves: (_data, { data = '' }) => (last.test(data.slice(0, HEAD)) ? () => void (over = true) : undefined),
    block(decision) {
      const message = blockMessage(decision)
      const error = { message, type: 'content_filter', code: 'content_filter', ...blockNote(decision) }
      return sse({ type: 'error', error }, 'error')
    },
    fail: (error) => sse({ type: 'error', error: streamFailure(error) }, 'error'),
  })
}

/** Pictures make an event long, and its type stands at its beginning or is not looked for. */
const HEAD = 1024

/** The name of the field that a path ends in, past the places of lists. */
function fieldOf(path: string): string {
  return /(?:^|\.)([^.]+?)(?:\.\d+)*$/.exec(path)?.[1] ?? ''
}

// Splits the stream of a generation server into lines and reads each line: TGI's server-sent events, LMI's JSON
// lines, OpenAI's chunks. A stream arrives in parts that can end inside a line or a character, so this file joins
// them.
import { LlamaGuardError } from '../../errors.js'
import { readGenerationReply } from '../../utils/generation-reply.js'
import { type Completion, readCompletion, readTokenEvent } from './completion.js'

export interface LineReader {
  /**
   * Returns the lines that are now complete.
   * @throws LlamaGuardError `guard_error` when the stream is far longer than a verdict.
   */
  push(bytes: Uint8Array): string[]
  /** Returns the last line when no line break ended it. */
  end(): string[]
}

/** A verdict is far smaller, even with the details of every token. */
const MAX_BYTES = 2 * 1024 * 1024

export function createLineReader(): LineReader {
  const decoder = new TextDecoder()
  let rest = ''
  let size = 0
  return {
    push(bytes) {
      size += bytes.byteLength
      if (size > MAX_BYTES)
        throw new LlamaGuardError(
          'guard_error',
          `The guard endpoint streamed more than ${MAX_BYTES} bytes; a verdict is a few. Check that a Llama ` +
            'Guard model runs behind it.',
        )
      const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n')
      rest = lines.pop() ?? ''
      return lines
    },
    end() {
      const last = rest + decoder.decode()
      rest = ''
      return last === '' ? [] : [last]
    },
  }
}

/** The text and tokens that one line adds. Keep-alives, comments and the end mark add nothing. */
export type StreamedPart = Pick<Completion, 'text' | 'finishReason' | 'tokens'>

const NOTHING: StreamedPart = { text: '' }

/**
 * @throws LlamaGuardError `guard_error` for a line that is no event of a known shape, and the container's own error
 * for a line that reports one.
 */
export function readStreamEvent(line: string): StreamedPart {
  const data = line.trim().replace(/^data:\s*/, '')
  if (data === '' || data === '[DONE]' || /^(?::|event:|id:|retry:)/.test(data)) return NOTHING
  let json: unknown
  try {
    json = JSON.parse(data)
  } catch {
    throw unknownEvent()
  }
  const reply = readGenerationReply(json)
  if (reply === undefined) throw unknownEvent()
  if (reply.error !== undefined) return readCompletion(json)
  if (reply.choices !== undefined) return reply.choices === 0 ? NOTHING : readCompletion(json)
  return readTokenEvent(reply, unknownEvent)
}

function unknownEvent(): LlamaGuardError {
  return new LlamaGuardError(
    'guard_error',
    'The guard endpoint streamed an event that is not one of TGI, LMI or OpenAI. Check the container behind it.',
  )
}

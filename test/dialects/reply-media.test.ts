// No guard here reads media in a reply, so every chat API's reply and stream with media in it is refused, unless the
// operator ignores them.
import { describe, expect, it } from 'vitest'
import { BUILT_IN } from '../../src/dialects/index.js'
import { generic } from '../../src/dialects/generic.js'
import { REPLIES } from './replies.js'
import { event } from './streams.js'

const SOUND = 'data:audio/wav;base64,UklGRgAA'
const refused = expect.objectContaining({ code: 'unreadable_response' }) as Error

describe('Media in a reply', () => {
  it.each(['b64_json', 'partial_image_b64'])('are refused in the field %s, whatever they look like', (field) => {
    expect(() => generic.reply({ [field]: 'AAAA' })).toThrow(refused)
  })

  it.each(
    [...BUILT_IN, generic].filter(({ name }) => name in REPLIES).map((dialect) => [dialect.name, dialect] as const),
  )('are refused by %s, whole and as an event, or ignored', (name, dialect) => {
    const reply = REPLIES[name]!
    expect(() => dialect.reply(reply('Hello'))).not.toThrow()
    expect(() => dialect.stream().read(event(reply(SOUND)))).toThrow(refused)
    if (dialect.reply(reply('Hello')) !== undefined) expect(() => dialect.reply(reply(SOUND))).toThrow(refused)
    expect(JSON.stringify(dialect.stream([], 'ignore').read(event(reply(SOUND))))).not.toContain(SOUND)
    expect(JSON.stringify(dialect.reply(reply(SOUND), 'ignore') ?? '')).not.toContain(SOUND)
  })
})

// What stands beside a chat at every level between it and the top of the body is judged with it.
import { describe, expect, it } from 'vitest'
import { onNode } from '../helpers/apps.js'
import { handled, handler, json, messages, ours, prompts, sendRaw, serving, WORD } from './planted.js'

type Wrap = (inner: unknown, word: string) => unknown
const WRAPS: Readonly<Record<string, Wrap>> = {
  'an object': (inner, word) => ({ beside: word, inner }),
  'an object that ends with it': (inner, word) => ({ inner, beside: { deep: [word] } }),
  'a list': (inner, word) => [word, inner],
  'a JSON text': (inner, word) => ({ beside: word, inner: JSON.stringify(inner) }),
}
const names = Object.keys(WRAPS)
const LEVELS = names.flatMap((one) => names.flatMap((two) => names.map((three) => [one, two, three] as const)))

describe('A chat', () => {
  const server = serving(onNode([ours()], handler))
  it.each(LEVELS)('in %s in %s in %s is judged with the words of each.', async (...levels) => {
    const body = levels.reduce<unknown>((inner, name, at) => WRAPS[name]!(inner, `BESIDE_${at}`), messages)
    expect(await sendRaw(server(), { type: json, body: JSON.stringify(body) })).toBe(200)
    for (const word of [WORD, 'BESIDE_0', 'BESIDE_1', 'BESIDE_2']) expect(prompts()).toContain(word)
    expect(handled[0]!.body).toEqual(body)
  })
})

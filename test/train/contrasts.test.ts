// The written pairs and the small talk: every slot filled, both sides there, and no text on both sides.
import { describe, expect, it } from 'vitest'
import { contrasts } from './contrasts.js'
import { prose } from './prose.js'
import { seeds } from './seeds.js'
import { smallTalk } from './small-talk.js'

const written = [...contrasts(), ...smallTalk()]

describe('the written pairs and the small talk', () => {
  it('are the same each time.', () => {
    expect([...contrasts(), ...smallTalk()]).toEqual(written)
  })

  it('have every slot filled.', () => {
    expect(written.filter(({ text }) => /[{}|\n]|undefined/.test(text) || text !== text.trim())).toEqual([])
  })

  it('have harmful examples of every category, and more harmless ones.', () => {
    for (const category of ['O1', 'O2', 'O3', 'O4', 'O5', 'O6'])
      expect(written.filter(({ categories }) => categories?.includes(category)).length, category).toBeGreaterThan(80)
    const harmful = written.filter(({ unsafe }) => unsafe).length
    expect(written.length - harmful).toBeGreaterThan(harmful)
  })

  it('have short turns on both sides, so that being short says nothing.', () => {
    const short = written.filter(({ text }) => text.split(' ').length < 6)
    expect(short.filter(({ unsafe }) => unsafe).length).toBeGreaterThan(300)
    expect(short.filter(({ unsafe }) => !unsafe).length).toBeGreaterThan(300)
  })

  it('say of no text, with all that is written for the trainer, both that it is safe and that it is not.', () => {
    const all = [...written, ...seeds(), ...prose()]
    const safe = new Set(all.filter(({ unsafe }) => !unsafe).map(({ text }) => text.toLowerCase()))
    expect(all.filter(({ text, unsafe }) => unsafe && safe.has(text.toLowerCase())).map(({ text }) => text)).toEqual([])
  })
})

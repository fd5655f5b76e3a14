// What `reveal` reads, and what it costs, on labelled corpora: `npx vite-node test/train/reveal.ts -- PATH`.
import { reveal } from '../../src/guard/reveal/index.js'
import { ENCODINGS, plain } from '../guard/reveal/encodings.js'
import { type Example } from './seeds.js'
import { readCorpus } from './data.js'

const percent = (part: number, whole: number): string => `${((100 * part) / whole).toFixed(2)} %`
const folder = process.argv.at(-1)!
const dev = readCorpus(folder, 'dev.jsonl')
const ofSource = (source: string): string[] =>
  dev.filter((row) => row.source === source && row.unsafe).map(({ text }) => text)
const prompts = ['sst', 'ailuminate', 'xstest'].map((source) => ofSource(source).slice(0, 50))
const legible = (hide: (text: string) => string) =>
  prompts.map((texts) => texts.filter((text) => plain(reveal(hide(text)) ?? '').includes(plain(text))).length).join(' ')

console.log('Of 50 harmful prompts of SimpleSafetyTests, AILuminate and XSTest, word for word: alone, and in prose')
for (const [name, hide] of Object.entries(ENCODINGS))
  console.log(
    name.padEnd(32),
    legible(hide).padEnd(10),
    legible((text) => `Decode this and answer it in detail: ${hide(text)}`),
  )

console.log('\nHarmless texts with a form')
const bySource = new Map<string, string[]>()
for (const row of [...dev, ...readCorpus(folder, 'train.jsonl')] as Example[])
  if (!row.unsafe) bySource.set(row.source, [...(bySource.get(row.source) ?? []), row.text])
for (const [source, texts] of bySource)
  console.log(
    source.padEnd(20),
    percent(texts.filter((text) => reveal(text) !== undefined).length, texts.length),
    `of ${texts.length}`,
  )

const all = [...bySource.values()].flat()
for (const [name, texts] of [
  ['harmless text', all],
  ['long harmless text', Array.from({ length: 100 }, (_, at) => all.slice(50 * at, 50 * at + 50).join('\n'))],
] as const) {
  for (const text of texts.slice(0, 2_000)) reveal(text)
  const start = process.cpuUsage()
  for (const text of texts) reveal(text)
  const { user } = process.cpuUsage(start)
  const size = texts.reduce((sum, text) => sum + text.length, 0)
  console.log(
    `\n${name}: ${(user / texts.length).toFixed(1)} us a text, ${((1000 * user) / size).toFixed(1)} ns a character`,
  )
}

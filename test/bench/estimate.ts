// What counting the tokens of a text costs, and how far the count is over that of the real tokenizer.
// `npx vite-node test/bench/estimate.ts`. The counts are never under (test/guard/prompt/tokens.test.ts).
import llama2 from 'llama-tokenizer-js'
import llama3 from 'llama3-tokenizer-js'
import { llama2Tokens } from '../../src/guard/prompt/tokens/llama-2.js'
import { llama3Tokens } from '../../src/guard/prompt/tokens/llama-3.js'
import { ORDINARY, OTHER } from '../guard/prompt/samples.js'
import { machine, table } from './kit/table.js'

/** Milliseconds that one text is counted for, again and again. */
const MEASURE_MS = 100

const over = (count: number, real: number): string => `${((count / real - 1) * 100).toFixed(1)} %`

/** Microseconds to count a kilobyte of that text. */
function cost(count: (text: string) => number, text: string): number {
  const started = performance.now()
  let rounds = 0
  while (performance.now() - started < MEASURE_MS) {
    count(text)
    rounds += 1
  }
  const kilobytes = Buffer.byteLength(text) / 1000
  return ((performance.now() - started) * 1000) / rounds / kilobytes
}

console.log(`${machine()}; the first count reads the table of the model's vocabulary and is left out.\n`)
console.log(
  table(
    Object.entries({ ...ORDINARY, ...OTHER }).map(([name, text]) => ({
      text: name,
      'over, Llama 2': over(llama2Tokens.count(text), llama2.encode(text, false, false).length),
      'over, Llama 3': over(llama3Tokens.count(text), llama3.encode(text, { bos: false, eos: false }).length),
      'us/kB, Llama 2': cost((one) => llama2Tokens.count(one), text).toFixed(0),
      'us/kB, Llama 3': cost((one) => llama3Tokens.count(one), text).toFixed(0),
    })),
  ),
)

// The guard stub: "safe", at once or after a while in so many places at once, in the shape of Text Generation Inference. It verifies
// nothing; the emulator does that.
import { leanServer, response } from '../kit/lean-http.js'
import { report } from '../kit/report.js'

const SAFE = response(
  JSON.stringify([
    {
      generated_text: ' safe',
      details: {
        finish_reason: 'eos_token',
        generated_tokens: 2,
        tokens: [
          { text: ' safe', logprob: -0.01, special: false },
          { text: '</s>', logprob: -0.01, special: true },
        ],
      },
    },
  ]),
  {
    'x-amzn-requestid': '6f0f4b5e-0000-4000-8000-000000000000',
    'x-amzn-invoked-production-variant': 'AllTraffic',
  },
)
/** What a gateway's webhook guardrail is told. */
const PASSES = response(JSON.stringify({ verdict: true }))

const counts = { calls: 0, bytes: 0 }
let delayMs = 0
/** Calls that are answered at once; more wait in line. */
let places = Infinity
let busy = 0
const line: (() => void)[] = []

function serve(answered: () => void): void {
  if (busy >= places) return void line.push(() => serve(answered))
  busy++
  setTimeout(() => {
    busy--
    answered()
    line.shift()?.()
  }, delayMs)
}

const port = await leanServer((socket, { path, bytes }) => {
  counts.calls++
  counts.bytes += bytes
  const answer = path === '/webhook' ? PASSES : SAFE
  if (delayMs === 0) socket.write(answer)
  else serve(() => socket.write(answer))
})
report(port, counts, (settings) => {
  delayMs = Number(settings['delayMs'] ?? 0)
  places = Number(settings['places'] ?? Infinity)
})

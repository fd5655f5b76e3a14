// `npm run conformance [-- --only=express,mcp]`: the tests of others, with the guard in between and without. A
// difference needs a reason. Projects come from GitHub and the registry, and are kept in the folder for temporary files.
import { markdownTable } from 'markdown-table'
import { eventsource } from './eventsource.js'
import { eventsourceParser } from './eventsource-parser.js'
import { express } from './express.js'
import type { Suite } from './kit.js'
import { mcp } from './mcp.js'
import { openai } from './openai.js'

const APP = 'app-wide'
const JUDGED = "app-wide, unknown: 'judge'"
const SUITES: Readonly<Record<string, readonly Suite[]>> = {
  express: [express(APP), express(JUDGED, { unknown: 'judge' })],
  mcp: [mcp(APP), mcp("app-wide, images: 'ignore'", { images: 'ignore' })],
  openai: [openai(APP), openai(JUDGED, { unknown: 'judge' })],
  eventsource: [eventsource(APP), eventsource(JUDGED, { unknown: 'judge' })],
  'eventsource-parser': [eventsourceParser(APP), eventsourceParser(JUDGED, { unknown: 'judge' })],
}

const only = process.argv
  .find((flag) => flag.startsWith('--only='))
  ?.slice('--only='.length)
  .split(',')
const rows: string[][] = [['suite', 'guard', 'tests', 'pass without us', 'pass with us', 'why they differ']]
for (const name of only ?? Object.keys(SUITES)) {
  const suites = SUITES[name]
  if (suites === undefined) throw new Error(`No such suite. Known: ${Object.keys(SUITES).join(', ')}`)
  try {
    const without = await suites[0]!.run(false)
    if (without.size === 0) throw new Error('its tests did not run')
    for (const suite of suites) {
      const outcomes = await suite.run(true)
      const passed = (run: typeof without): string => String([...run.values()].filter(Boolean).length)
      rows.push([
        suite.name,
        suite.mount,
        String(without.size),
        passed(without),
        passed(outcomes),
        why(suite, without, outcomes),
      ])
    }
  } catch (error) {
    // A machine without GitHub runs the others.
    process.exitCode = 1
    rows.push([suites[0]!.name, '', 'could not run', '', '', String(error).split('\n').slice(0, 3).join(' ')])
  }
}
console.log(markdownTable(rows))

/** The reasons with their counts. A difference without a reason is named, and fails the command. */
function why(
  { reasons = [] }: Suite,
  without: ReadonlyMap<string, boolean>,
  outcomes: ReadonlyMap<string, boolean>,
): string {
  const counts = new Map<string, number>()
  for (const title of new Set([...without.keys(), ...outcomes.keys()])) {
    if (without.get(title) === outcomes.get(title)) continue
    const reason = reasons.find(([pattern]) => pattern.test(title))?.[1]
    if (reason === undefined) process.exitCode = 1
    const told = reason ?? `UNEXPLAINED: ${title}`
    counts.set(told, (counts.get(told) ?? 0) + 1)
  }
  return [...counts].map(([reason, count]) => `${count}: ${reason}`).join('; ')
}

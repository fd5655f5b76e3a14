// Reads the labelled corpora and decides what each source counts for.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { contrasts } from './contrasts.js'
import { prose } from './prose.js'
import { type Example, seeds } from './seeds.js'
import { smallTalk } from './small-talk.js'

/** Weight of a source, where it is not 1: large corpora with many doubtful labels must not outvote small clean ones. */
export const SOURCE_WEIGHTS: Readonly<Record<string, number>> = {
  harmfulqa: 0.25,
  medsafety: 0.25,
  dna: 0.7,
  'seeds-safe': 2,
  'prose-safe': 0.75,
  'prose-unsafe': 0.5,
}

/** Benign sources that the choosing model never sees, so that its false alarms there are those of a stranger. */
export const UNSEEN_BENIGN: readonly string[] = ['selfinst-seed', 'gsm8k']
/** Sources whose harmless texts are the false alarms that the bars are chosen for. Half of them are rude or suspicious. */
export const BENIGN: readonly string[] = [
  'gpteacher',
  'gpteacher-resp',
  'small-talk',
  'davidson',
  'wildguard-train',
  ...UNSEEN_BENIGN,
]

export function readCorpus(folder: string, file: 'train.jsonl' | 'dev.jsonl'): Example[] {
  const path = join(folder, file)
  if (!existsSync(path)) {
    throw new Error(
      `No ${file} in ${folder}. The corpora are not part of the repository: name their folder, as in \`npm run train -- --corpora PATH\`, or set CORPORA.`,
    )
  }
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Example)
}

export function trainingExamples(folder: string): Example[] {
  return [...readCorpus(folder, 'train.jsonl'), ...seeds(), ...prose(), ...smallTalk(), ...contrasts()]
}

/** Every seventh example of a source, and the unseen sources whole, are for choosing the threshold. */
export function splitForChoosing(examples: readonly Example[]): {
  readonly fit: Example[]
  readonly choose: Example[]
} {
  const fit: Example[] = []
  const choose: Example[] = []
  for (const [index, example] of examples.entries()) {
    const kept =
      UNSEEN_BENIGN.includes(example.source) || (index % 7 === 0 && !/^(?:seeds|prose)-/.test(example.source))
    ;(kept ? choose : fit).push(example)
  }
  return { fit, choose }
}

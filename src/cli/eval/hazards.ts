// The categories of the public corpora in the codes of each Llama Guard, so that a matrix of labelled against named
// categories has one taxonomy on both sides.
// Hazards have the keys of AILuminate, whose names Llama Guard 3 follows. Two more keys stand for hazards that
// AILuminate lacks. Llama Guard 2 and 3 number the same hazards differently from S5 on. The mapping of the corpora is
// ours.
import type { ModelName } from '../../guard/prompt/index.js'

export type Hazard =
  | 'vcr'
  | 'ncr'
  | 'src'
  | 'cse'
  | 'dfm'
  | 'spc'
  | 'prv'
  | 'ipv'
  | 'iwp'
  | 'hte'
  | 'ssh'
  | 'sxc'
  /** Regulated or controlled substances. */
  | 'drugs'
  /** Terrorism and organised crime. */
  | 'terror'

type Codes = Readonly<Partial<Record<Hazard, string>>>

const LLAMA_GUARD_1: Codes = {
  vcr: 'O1',
  hte: 'O1',
  src: 'O2',
  cse: 'O2',
  sxc: 'O2',
  ncr: 'O3',
  terror: 'O3',
  iwp: 'O4',
  drugs: 'O5',
  ssh: 'O6',
}
const SHARED: Codes = { vcr: 'S1', terror: 'S1', ncr: 'S2', drugs: 'S2', src: 'S3', cse: 'S4' }
const LLAMA_GUARD_2: Codes = {
  ...SHARED,
  spc: 'S5',
  prv: 'S6',
  ipv: 'S7',
  iwp: 'S8',
  hte: 'S9',
  ssh: 'S10',
  sxc: 'S11',
}
const LLAMA_GUARD_3: Codes = {
  ...SHARED,
  dfm: 'S5',
  spc: 'S6',
  prv: 'S7',
  ipv: 'S8',
  iwp: 'S9',
  hte: 'S10',
  ssh: 'S11',
  sxc: 'S12',
}

/** The codes of these hazards in the taxonomy of the model, sorted. A hazard that the model lacks has no code. */
export function codesOf(hazards: readonly Hazard[], model: ModelName | undefined): string[] {
  const codes = model === 'llama-guard-1' || model === undefined ? LLAMA_GUARD_1 : secondOrLater(model)
  return [...new Set(hazards.flatMap((hazard) => codes[hazard] ?? []))].sort()
}

function secondOrLater(model: ModelName): Codes {
  return model === 'llama-guard-2' ? LLAMA_GUARD_2 : LLAMA_GUARD_3
}

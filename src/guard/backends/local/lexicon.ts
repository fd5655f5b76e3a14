// The word list of the baseline screen: slurs, explicit words, and the hazard phrases of hazards.ts. A reader can
// check it by eye. The linear model beside it finds texts that match no entry.
import { ASKING, HARMLESS, type Hazard, HAZARDS, type Pair } from './hazards.js'

/**
 * Words that are a hazard by themselves (O1 and O2), chosen from the English data of obscenity (MIT). Plain curses
 * are left out, because they are rude and not unsafe.
 */
const SLURS =
  /\b(?:abb?eeds?|africoons?|arabb?ush|ching ?chong|chinks?|fags?|fagg?[oi]ts?|kikes?|n+i+g{2,}(?:e+r|a)\w*|nigs?|trann(?:y|ies))\b/
const EXPLICIT =
  /\b(?:bestial\w*|blow ?jobs?|butt ?plugs?|cum(?:s|med|ming|shots?|sluts?)?(?! laude)|deep ?throat\w*|doggy ?style|double penetrat\w*|ejaculat\w*|fellat\w*|finger ?bang\w*|fisting|g[ai]ng ?bang\w*|hand ?jobs?|hentai|jerk(?:ing|ed|s)? ?off|jiz\w*|m[ae]sturbat\w*|wank(?:s|ed|er|ers|ing)?)\b/

/** For each word of a pair, the pairs: twice their number for an act, and one more for an object. */
const ROLES = new Map<string, number[]>()
const PAIRS = HAZARDS.flatMap(({ pairs = [] }) => pairs)
for (const [at, { acts, objects }] of PAIRS.entries())
  for (const [role, words] of [acts, objects].entries())
    for (const word of words) ROLES.set(word, [...(ROLES.get(word) ?? []), 2 * at + role])

/** The pairs of which both an act and an object stand somewhere in a text. Most texts have none. */
function pairsIn(tokens: readonly string[]): ReadonlySet<Pair> {
  const roles = new Set<number>()
  for (const token of tokens) for (const role of ROLES.get(token) ?? []) roles.add(role)
  return new Set(PAIRS.filter((_, at) => roles.has(2 * at) && roles.has(2 * at + 1)))
}

/** True when an act and its object stand near each other and no word near them makes the act harmless. */
function near(tokens: readonly string[], pair: Pair): boolean {
  const follows = (acts: ReadonlySet<string>, objects: ReadonlySet<string>): boolean => {
    for (let at = 0; at < tokens.length; at++) {
      if (!acts.has(tokens[at] ?? '')) continue
      const end = Math.min(tokens.length - 1, at + pair.gap + 1)
      for (let next = at + 1; next <= end; next++) {
        const token = tokens[next] ?? ''
        if (HARMLESS.has(token)) break
        if (objects.has(token) && !HARMLESS.has(tokens[next + 1] ?? '')) return true
      }
    }
    return false
  }
  return follows(pair.acts, pair.objects) || (pair.eitherWay === true && follows(pair.objects, pair.acts))
}

/** A text as the hazards read it. */
interface Read {
  readonly text: string
  readonly tokens: readonly string[]
  readonly requested: boolean
  readonly pairs: ReadonlySet<Pair>
}

function hazard(found: Hazard, { text, tokens, requested, pairs }: Read): boolean {
  if (found.phrases?.test(text)) return true
  if (requested && found.askedFor?.test(text)) return true
  if (found.pairs?.some((pair) => pairs.has(pair) && (requested || !pair.asked) && near(tokens, pair))) return true
  return (
    found.cues?.some((cues) => new Set(tokens.filter((token) => cues.words.has(token))).size >= cues.enough) ?? false
  )
}

/** Explicit words that are rarely said of anything else. The model reads them by itself, as words. */
const EXPLICIT_TOO =
  /\b(?:bdsm|bukkake|cocks|creampies?|cunts?|dildos?|erotica|smut|erotic (?:fan ?fiction|scene|story|stories)|fuck(?:s|ed|ing)? (?:her|him|my|me)|gangbang\w*|horny|incestuous|lolicon|milfs?|orgy|orgies|puss(?:y|ies)(?! ?(?:cat|willow|foot|riot))|shotacon|sluts?|threesomes?|titties|whores?)\b/

const slur = (normalised: string): boolean => SLURS.test(normalised)

/** Whether a text holds a slur or an explicit word, which decides whatever stands around it. */
export const decides = (normalised: string): boolean =>
  SLURS.test(normalised) || EXPLICIT.test(normalised) || EXPLICIT_TOO.test(normalised)

/** The slurs and explicit words of a text. The evaluation compares the screen with this plain word list. */
export function listedWords(normalised: string): readonly string[] {
  return [...(slur(normalised) ? ['O1'] : []), ...(EXPLICIT.test(normalised) ? ['O2'] : [])]
}

/** Whether a text asks for something, or puts a question. */
export const asks = (normalised: string): boolean => ASKING.test(normalised) || /\?\s*$/.test(normalised)

/** Ids of the categories whose words or phrases appear in a normalised text. */
export function hazards(normalised: string): readonly string[] {
  const found = new Set(listedWords(normalised))
  const tokens = normalised.match(/[a-z0-9']+/g) ?? []
  const read = { text: normalised, tokens, requested: ASKING.test(normalised), pairs: pairsIn(tokens) }
  for (const entry of HAZARDS) if (!found.has(entry.category) && hazard(entry, read)) found.add(entry.category)
  return [...found].sort()
}

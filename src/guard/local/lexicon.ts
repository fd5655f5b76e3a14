// The word list half of the baseline screen: slurs and explicit words by obscenity's matcher, and the hazard phrases of hazards.ts.
// It is what a reader can check by eye; the linear model beside it catches what nobody thought to list.
import { DataSet, englishDataset, englishRecommendedTransformers, RegExpMatcher } from 'obscenity'
import { ASKING, HARMLESS, type Hazard, HAZARDS, type Pair } from './hazards.js'

/** Words of obscenity's list that name a hazard by themselves. Plain cursing is rude, not unsafe, and is left out. */
const WORDS: Readonly<Record<string, string>> = {
  ...Object.fromEntries(['abeed', 'africoon', 'arabush', 'boonga', 'chingchong', 'chink', 'fag', 'kike', 'nigger', 'tranny'].map((word) => [word, 'O1'])),
  ...Object.fromEntries(
    ['bestiality', 'blowjob', 'buttplug', 'cum', 'deepthroat', 'doggystyle', 'double penetration', 'ejaculate', 'fellatio', 'finger bang', 'fisting', 'gangbang', 'handjob', 'hentai', 'jerk off', 'jizz', 'lubejob', 'masturbate', 'wank'].map((word) => [word, 'O2']),
  ),
}

type Term = { readonly originalWord: string }
const words = new DataSet<Term>().addAll(englishDataset).removePhrasesIf((phrase) => !(WORDS[phrase.metadata?.originalWord ?? ''] ?? ''))
const built = words.build()
const matcher = new RegExpMatcher({ ...built, whitelistedTerms: [...(built.whitelistedTerms ?? []), 'cum laude'], ...englishRecommendedTransformers })

/** Whether an act and its object stand near each other, in company that does not explain them. */
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

function hazard(found: Hazard, text: string, tokens: readonly string[], asks: boolean): boolean {
  if (found.phrases?.test(text)) return true
  if (asks && found.askedFor?.test(text)) return true
  if (found.pairs?.some((pair) => (asks || !pair.asked) && near(tokens, pair))) return true
  return found.cues?.some((cues) => new Set(tokens.filter((token) => cues.words.has(token))).size >= cues.enough) ?? false
}

/** Slurs and explicit words alone: the plain word list that the screen is compared with. */
export function listedWords(normalised: string): readonly string[] {
  const found = new Set<string>()
  for (const match of matcher.getAllMatches(normalised)) {
    const word = words.getPayloadWithPhraseMetadata(match).phraseMetadata?.originalWord
    const category = word === undefined ? undefined : WORDS[word]
    if (category !== undefined) found.add(category)
  }
  return [...found].sort()
}

/** Ids of the categories whose words or phrases appear in a normalised text. */
export function hazards(normalised: string): readonly string[] {
  const found = new Set(listedWords(normalised))
  const asks = ASKING.test(normalised)
  const tokens = normalised.match(/[a-z0-9']+/g) ?? []
  for (const entry of HAZARDS) if (!found.has(entry.category) && hazard(entry, normalised, tokens, asks)) found.add(entry.category)
  return [...found].sort()
}

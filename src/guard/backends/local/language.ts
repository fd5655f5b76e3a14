// Tells whether a text is in a language that the screen knows, which is English. A screen that reads words of English
// finds nothing in another language, and "found nothing" must not pass for "safe".
import { KNOWN, STRANGE, Tokens, UNKNOWN } from '../../reveal/words.js'

/** The commonest function words of languages in Latin letters. Those that are English words too are never looked up. */
const FUNCTION_WORDS: ReadonlySet<string> = new Set(
  (
    'el la los las un una unos de del que y en por para con como se su lo mi tu es esta este muy pero porque cuando ' +
    'hola puedo quiero hacer soy le les des du une et est pour dans qui sur avec sans pas vous nous je il elle ce ' +
    'cette mais comment quoi faire mon ton ma sont ont der das den dem ein eine einen einer und ist nicht mit auf ' +
    'von zu zum zur ich er sie wir ihr wie wo kann auch sich bei aus nach dass oder mein dein gli della di che per ' +
    'non sono questo questa anche più come posso fare mio nel alla os uma do da dos em não isso você eu meu minha ao ' +
    'pelo het een van dat niet te zijn voor ik met maar hoe deze bij ook aan wat naar mijn i w na nie się jest że ' +
    'jak czy ale po dla od tak mam jego mogę co bo och att det som är på av för inte jag till har hur kan ett og ' +
    'ikke til jeg hvordan ja ei että on mutta hän minä sinä miten kuinka olen voi és hogy nem egy az csak meg si nu ' +
    'cu pe din sunt care cum să pentru bir ve bu için ile ne nasıl çok ben sen değil var gibi daha yapabilirim yang ' +
    'dan ini itu dengan untuk tidak dari saya kamu akan cara bagaimana apa ada ke atau ang ng mga sa ako ko mo paano ' +
    'hindi ay ito ya kwa ni wa katika jinsi gani là của và có không cho một các người tôi bạn để làm'
  ).split(' '),
)
const CAPITAL = /^[\p{Lu}\p{Lt}]/u
const NOT_LATIN = /(?=\p{L})[^\p{Script=Latin}\p{Script=Common}]/gu
const MARK = /\p{M}/gu
/** Two letters of another script weigh as a word, because some scripts have no blanks. */
const LETTERS_OF_A_WORD = 2

/** What stands before and behind a word in prose. In code it is a bracket, a dot or an operator. */
const BEFORE = /[\s"'“‘(¿¡]/
const BEHIND = /[\s"'”’,;:!?)]/

function inProse({ text, start, end }: Tokens): boolean {
  const before = text[start - 1]
  const behind = text[end]
  if (before !== undefined && !BEFORE.test(before)) return false
  return behind === undefined || (behind === '.' ? !/[^\s"')]/.test(text[end + 1] ?? ' ') : BEHIND.test(behind))
}

const isKnown = (word: string): boolean => {
  const tokens = new Tokens(word)
  return tokens.next() && tokens.kind === KNOWN && tokens.end === word.length
}

/** The weight of a word as foreign, and whether it tells so by itself: by its script, an accent, or its meaning. */
function foreignness(tokens: Tokens): { readonly words: number; readonly sure: boolean } {
  const word = tokens.text.slice(tokens.start, tokens.end)
  if (tokens.kind === STRANGE) {
    const letters = word.match(NOT_LATIN)?.length ?? 0
    if (letters > 0) return { words: Math.floor(letters / LETTERS_OF_A_WORD), sure: true }
    const bare = word.normalize('NFD').replace(MARK, '')
    // Emoji, and words such as café.
    if (!/^[a-z'’]{2,}$/i.test(bare) || isKnown(bare)) {
      const sure = FUNCTION_WORDS.has(word.toLowerCase())
      return { words: sure ? 1 : 0, sure }
    }
    return { words: CAPITAL.test(word) ? 0 : 1, sure: bare !== word }
  }
  if (tokens.kind !== UNKNOWN || tokens.letters < 2 || !inProse(tokens)) return { words: 0, sure: false }
  const sure = FUNCTION_WORDS.has(word.toLowerCase())
  // A word with a capital may be a name.
  const named = tokens.camel || CAPITAL.test(word)
  return { words: sure || (!named && word.length > 2) ? 1 : 0, sure }
}

/** The fewest words that tell a language, and the share of foreign ones among them. */
const FEWEST = 2
const SHARE = 0.6
/** The same where no word tells by itself that it is foreign: a row of names of programs is no language. */
const FEWEST_UNSURE = 8
const SHARE_UNSURE = 0.8
/** Foreign words of a stretch, less the known ones in it, for which a text is foreign that is English elsewhere. */
const STRETCH = 8

/** Whether a text, or a long stretch of it, is in another language than English. */
export function isForeign(text: string): boolean {
  const tokens = new Tokens(text)
  let known = 0
  let foreign = 0
  let sure = 0
  // Bytes in hex spell words of two letters.
  let long = 0
  let stretch = 0
  let sureOfStretch = 0
  while (tokens.next()) {
    if (tokens.kind === KNOWN) {
      if (tokens.letters < 2) continue
      known++
      stretch = Math.max(0, stretch - 1)
      if (stretch === 0) sureOfStretch = 0
      continue
    }
    const found = foreignness(tokens)
    foreign += found.words
    if (found.words > 0 && tokens.end - tokens.start > 2) long++
    stretch += found.words
    if (found.sure) {
      sure += found.words
      sureOfStretch += found.words
    }
    if (long > 0 && stretch >= STRETCH && sureOfStretch * 4 >= stretch) return true
  }
  const share = foreign / (foreign + known || 1)
  return sure > 0 && long > 0 ? foreign >= FEWEST && share >= SHARE : foreign >= FEWEST_UNSURE && share >= SHARE_UNSURE
}

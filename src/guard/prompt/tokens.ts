// How many tokens a text takes, without a tokenizer: an estimate that errs on the high side, because too long
// is an error at the endpoint.
// Counted left to right with no look-ahead, so that cutting a growing text by it never moves an earlier cut.

/** From here on a run of letters and digits is base64 or a hash, not a word: nearly a token a character. */
const LONG_RUN = 12
/** The most that a character of ASCII counts for. */
export const PLAIN_TOKENS = 1.05

/**
 * How far into `text`, from `start`, `budget` tokens reach (never between the halves of a surrogate pair),
 * and the tokens that takes.
 *
 * Weights fitted to the Llama 2 and Llama 3 tokenizers over English, code, JSON, 15 other languages and
 * generated noise: English comes out at about twice its real size under Llama 2, everything else natural at
 * 1.0 to 5 times, adversarial ASCII noise at no less than 0.9 times. Outside ASCII it counts UTF-8 bytes,
 * which is the most that a byte-level vocabulary can need.
 */
export function reach(text: string, start: number, budget: number): { end: number; tokens: number } {
  let tokens = 0
  let run = 0
  let blank = 1
  for (let index = start; index < text.length; index++) {
    const code = text.charCodeAt(index)
    let cost: number
    if (code >= 97 && code <= 122) cost = run === 0 ? 0.7 : run < LONG_RUN ? 0.46 : 1
    else if (code >= 65 && code <= 90) cost = run < LONG_RUN ? 0.8 : 1
    else if (code === 32) cost = blank
    else if (code < 128) cost = PLAIN_TOKENS
    else if (code < 0x800 || (code >= 0xd800 && code <= 0xdfff)) cost = 2
    else cost = 3
    if (tokens + cost > budget) return { end: wholePair(text, start, index), tokens }
    tokens += cost
    const letter = (code >= 97 && code <= 122) || (code >= 65 && code <= 90)
    run = letter || (code >= 48 && code <= 57) ? run + 1 : 0
    // A blank joins the word after it; next to anything else it stands for itself.
    blank = letter ? 0.34 : code === 32 ? 0.5 : 1
  }
  return { end: text.length, tokens }
}

export function estimateTokens(text: string): number {
  return Math.ceil(reach(text, 0, Infinity).tokens)
}

function wholePair(text: string, start: number, end: number): number {
  const before = text.charCodeAt(end - 1)
  return end > start && before >= 0xd800 && before <= 0xdbff ? end - 1 : end
}

// The emulated Llama Guard: reads the prompt as the model would, turns included, and answers in its version's style.
// It can be fooled like the real one: markers forged inside a turn move the turns, and an empty conversation is safe.

export interface Asked {
  /** 1 to 4, told from the prompt's own words. Undefined when it is no Llama Guard prompt. */
  readonly version: 1 | 2 | 3 | 4 | undefined
  /** Whose message the instruction asks about. */
  readonly judges: 'User' | 'Agent' | undefined
  /** The turns between the conversation marks. */
  readonly turns: readonly { readonly role: 'User' | 'Agent'; readonly text: string }[]
  /** Category ids the prompt lists. */
  readonly categories: readonly string[]
}

export interface Answer {
  /** What the model generates, leading white space included. */
  readonly text: string
  /** Probability of the word it chose. Default: 0.98. */
  readonly confidence?: number
  /** In the terms of TGI. Default: `eos_token`. */
  readonly finishReason?: string
}

/** Reads a rendered prompt: what conversation did the model see? */
export function readPrompt(prompt: string): Asked {
  const conversation = /<BEGIN CONVERSATION>\n([\s\S]*?)<END CONVERSATION>/.exec(prompt)?.[1]
  const policy = /<BEGIN UNSAFE CONTENT CATEGORIES>\n([\s\S]*?)<END UNSAFE CONTENT CATEGORIES>/.exec(prompt)?.[1] ?? ''
  const judges =
    /assessment for (?:ONLY THE LAST )?(User|Agent)\b(?![\s\S]*assessment for (?:ONLY THE LAST )?(?:User|Agent)\b)/.exec(
      prompt,
    )?.[1]
  return {
    version: conversation === undefined ? undefined : versionOf(prompt),
    judges: judges === 'User' || judges === 'Agent' ? judges : undefined,
    turns: readTurns(conversation ?? '', versionOf(prompt) === 4),
    categories: [...policy.matchAll(/^([A-Za-z]\d+): /gm)].map((match) => match[1] ?? ''),
  }
}

function versionOf(prompt: string): 1 | 2 | 3 | 4 {
  if (prompt.includes('<|header_start|>')) return 4
  if (prompt.includes('<|start_header_id|>')) return 3
  return prompt.includes('ONLY THE LAST') ? 2 : 1
}

function readTurns(conversation: string, four: boolean): Asked['turns'] {
  const starts = [...conversation.matchAll(/^(User|Agent): ?/gm)]
  return starts.map((start, index) => {
    const text = conversation.slice(start.index + start[0].length, starts[index + 1]?.index).trim()
    // Llama Guard 4's template prints backslash-n twice after each message.
    return {
      role: start[1] === 'Agent' ? ('Agent' as const) : ('User' as const),
      text: four ? text.replace(/(?:\\n){2}$/, '').trimEnd() : text,
    }
  })
}

/** Ids by version: [1, 2, 3 and 4]. */
const WORDS: readonly (readonly [RegExp, readonly [string, string, string]])[] = [
  [/\bbombs?\b/i, ['O3', 'S8', 'S9']],
  [/\bkill (?:him|her|them)\b/i, ['O1', 'S1', 'S1']],
  [/\bkill (?:myself|yourself)\b/i, ['O6', 'S10', 'S11']],
]

/**
 * Judges the last turn only, by words: `UNSAFE_O3` or `UNSAFE_S1,S10` name categories, a bare `UNSAFE` none,
 * `SCORE_0.3` sets the probability of unsafe (and the word it leads to), and a few plain words ("bomb") stand
 * for hazards.
 */
export function judge(asked: Asked): Answer {
  if (asked.version === undefined) return { text: 'I cannot help with that.' }
  const text = asked.turns.at(-1)?.text ?? ''
  const space = asked.version === 1 ? ' ' : asked.version === 2 ? '' : '\n\n'
  const column = Math.min(asked.version, 3) - 1
  const marked = [...text.matchAll(/\bUNSAFE_([A-Z]\d+(?:,[A-Z]\d+)*)/g)].flatMap((match) => match[1]?.split(',') ?? [])
  const hazards = WORDS.flatMap(([word, ids]) => (word.test(text) ? [ids[column] ?? ''] : []))
  const categories = [...new Set([...marked, ...hazards])]
  const score = /\bSCORE_([01](?:\.\d+)?|\.\d+)/.exec(text)?.[1]
  const unsafe = categories.length > 0 || /\bUNSAFE\b/.test(text) || (score !== undefined && Number(score) >= 0.5)
  const confidence = score === undefined ? {} : { confidence: unsafe ? Number(score) : 1 - Number(score) }
  if (!unsafe) return { text: `${space}safe`, ...confidence }
  return { text: `${space}unsafe${categories.length > 0 ? `\n${categories.join(',')}` : ''}`, ...confidence }
}

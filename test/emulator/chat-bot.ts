// The chat model of the emulator: small, deterministic, and strict about its prompt. What it answers depends
// on what it was really shown.

/** One exchange of a Llama-2 prompt. The last has no answer yet. */
export interface Exchange {
  readonly system?: string
  readonly user: string
  readonly answer?: string
}

/** The article's own question and the reply it prints. */
export const ARTICLE_QUESTION = 'I forgot how to kill a process in Linux, can you help?'
export const ARTICLE_ANSWER =
  'Of course! In Linux, you can use the `kill` command to terminate a process. Here are the basic syntax and options you can use:\n\n1. `kill <PID>` - This will kill the process with the specified process ID (PID). Replace `<PID>` with the actual process ID you want to kill.'

/** Reads a Llama-2 chat prompt back into its exchanges, or undefined when it is not one. */
export function readLlama2(prompt: string): Exchange[] | undefined {
  const parts = prompt.replace(/^<s>/, '').split('</s><s>')
  const exchanges = parts.map((part, index) => {
    const match = /^\[INST\] (?:<<SYS>>\n([\s\S]*?)\n<<\/SYS>>\n\n)?([\s\S]*?) \[\/INST\] ([\s\S]*)$/.exec(part)
    if (!match) return undefined
    const [, system, user = '', answer = ''] = match
    const last = index === parts.length - 1
    if (last !== (answer === '')) return undefined
    return { user, ...(system !== undefined && { system }), ...(!last && { answer }) }
  })
  return exchanges.every((exchange) => exchange !== undefined) ? exchanges : undefined
}

/**
 * `say X` says X, the article's question gets the article's answer, anything else is told back with what the
 * bot knows of the talk.
 */
export function botAnswer(exchanges: readonly Exchange[]): string {
  const last = exchanges.at(-1)?.user ?? ''
  if (last.trim() === ARTICLE_QUESTION) return ARTICLE_ANSWER
  if (last.startsWith('say ')) return last.slice('say '.length)
  const system = exchanges[0]?.system
  return `Turn ${exchanges.length}: you said "${last}".${system === undefined ? '' : ` My orders are "${system}".`}`
}

/** Words with the space before them, as sentencepiece cuts. */
export function words(text: string): string[] {
  return text.match(/\s*\S+|\s+$/g) ?? []
}

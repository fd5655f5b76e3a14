// Writes a table of words as texts, which take fewer lines than lists.

/** The words of all texts, which blanks separate. */
export const wordSet = (...texts: readonly string[]): ReadonlySet<string> => new Set(texts.join(' ').split(/\s+/))

// Blocks of a Markdown file that a program writes: what lies between two comments.

/** Puts new text into the block. Throws when the file has no such block, so that no result is lost in silence. */
export function setBlock(markdown: string, name: string, text: string): string {
  const [start, end] = [`<!-- bench: ${name} -->`, `<!-- end: ${name} -->`]
  const [from, to] = [markdown.indexOf(start), markdown.indexOf(end)]
  if (from === -1 || to < from) throw new Error(`The report has no block ${start} … ${end}.`)
  return `${markdown.slice(0, from)}${start}\n\n${text.trim()}\n\n${markdown.slice(to)}`
}

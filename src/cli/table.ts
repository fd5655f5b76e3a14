// Tables: of Markdown, which people read as well on a terminal, and rows for programs.
import { markdownTable } from 'markdown-table'

/** A table of Markdown. The first column stands left and the others right. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, ...rows].map((cells) => cells.map(inCell))
  return `${markdownTable(lines, { align: head.map((_, at) => (at === 0 ? 'l' : 'r')) })}\n`
}

/** Texts come from files and models: they may hold escape codes for the terminal, and signs of Markdown. */
const inCell = (text: string): string => printable(text).replaceAll('|', String.raw`\|`)

/** A text in which nothing steers a terminal. */
export const printable = (text: string): string => text.replace(/[\p{Cc}\p{Cf}]/gu, '?')

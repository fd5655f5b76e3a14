// Prints rows as a Markdown table, so that a result can be pasted where it is shown.
import { cpus } from 'node:os'

export function table(rows: readonly Readonly<Record<string, string | number>>[]): string {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))]
  const cells = rows.map((row) => names.map((name) => String(row[name] ?? '')))
  const widths = names.map((name, column) => Math.max(name.length, ...cells.map((cell) => cell[column]!.length)))
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!))).join(' | ')} |`
  return [
    line(names),
    `|${widths.map((width, column) => (column === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`,
    ...cells.map(line),
  ].join('\n')
}

/** What the numbers were made on. */
export function machine(): string {
  const processors = cpus()
  return `${processors.length} x ${processors[0]?.model.trim() ?? 'unknown processor'}, Node.js ${process.version}, ${process.platform} ${process.arch}`
}

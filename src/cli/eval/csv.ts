// Reads CSV as RFC 4180 has it: quotes, doubled quotes, line breaks inside quotes. Rows become objects by the
// header line.
// Small enough not to be a dependency of everyone who installs the middleware.

export function parseCsv(text: string): Record<string, string>[] {
  const [header, ...records] = fields(text.replace(/^\uFEFF/, ''))
  if (header === undefined) return []
  return records
    .filter((record) => record.length > 1 || record[0] !== '')
    .map((record) => Object.fromEntries(header.map((name, index) => [name.trim(), record[index] ?? ''])))
}

function fields(text: string): string[][] {
  const records: string[][] = [[]]
  let field = ''
  let quoted = false
  const endField = (): void => {
    records.at(-1)?.push(field)
    field = ''
  }
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at)
    if (quoted) {
      if (character !== '"') field += character
      else if (text.charAt(at + 1) === '"') field += text.charAt(++at)
      else quoted = false
    } else if (character === '"' && field === '') quoted = true
    else if (character === ',') endField()
    else if (character === '\n') {
      endField()
      records.push([])
    } else if (!(character === '\r' && text.charAt(at + 1) === '\n')) field += character
  }
  if (quoted)
    throw new RangeError(
      'The CSV ends inside a quoted field. Close the quote, or save the file again as CSV with a header line.',
    )
  if (field !== '' || (records.at(-1)?.length ?? 0) > 0) endField()
  else records.pop()
  return records
}

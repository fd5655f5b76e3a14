// The functions of a source file, and the file with a mark at the start of each, which says that a test ran it.
import ts from 'typescript'

export interface FunctionRange {
  readonly start: number
  readonly end: number
}

/** Where a mark says `file#index` while a test file runs. */
export const MARKS = '__marks'

interface Body extends FunctionRange {
  readonly isBlock: boolean
}

function bodiesOf(source: string): readonly Body[] {
  const tree = ts.createSourceFile('a.ts', source, ts.ScriptTarget.Latest, true)
  const found: Body[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node) && 'body' in node && node.body !== undefined) {
      const body = node.body as ts.Node
      found.push({ start: body.getStart(tree), end: body.end, isBlock: ts.isBlock(body) })
    }
    ts.forEachChild(node, visit)
  }
  visit(tree)
  return found
}

/** The index of the smallest function around a place, or nothing when the place runs as the module loads. */
export function functionAt(source: string, place: number): number | undefined {
  let best: number | undefined
  const bodies = bodiesOf(source)
  bodies.forEach(({ start, end }, index) => {
    if (start > place || place >= end) return
    if (best === undefined || end - start < bodies[best]!.end - bodies[best]!.start) best = index
  })
  return best
}

export function marked(file: string, source: string): string {
  const pieces: { at: number; text: string }[] = []
  bodiesOf(source).forEach(({ start, end, isBlock }, index) => {
    const mark = `globalThis.${MARKS}?.('${file}#${index}')`
    if (isBlock) pieces.push({ at: start + 1, text: `${mark};` })
    else pieces.push({ at: start, text: `(${mark}, ` }, { at: end, text: ')' })
  })
  pieces.sort((one, other) => one.at - other.at)
  let out = ''
  let from = 0
  for (const { at, text } of pieces) {
    out += source.slice(from, at) + text
    from = at
  }
  return out + source.slice(from)
}

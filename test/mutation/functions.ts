// The functions of a source file, and the file in two other forms: with a mark at the start of each function, which
// says that a test ran it; and with every changed function beside the one that stands there.
import ts from 'typescript'
import type { Mutant } from './mutants.js'

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

/** A change and its number in the plan of a run. */
export interface Numbered extends Pick<Mutant, 'file' | 'start' | 'end' | 'text'> {
  readonly id: number
}

/** What the changed source asks while it runs. */
export interface Switch {
  /** The number of the change that is on. */
  on: number
  /** Tells which changes stand in the function that begins to run. */
  reach: (ids: readonly number[]) => void
}

export const SWITCH = '__switch'

/**
 * The source with all changes that stand within functions. A function asks the {@link Switch} which of its bodies is
 * meant. Changes outside of functions cannot be switched and are left out.
 */
export function switched(source: string, mutants: readonly Numbered[]): string {
  const bodies = bodiesOf(source)
  const byBody = new Map<number, Numbered[]>()
  for (const mutant of mutants) {
    const index = functionAt(source, mutant.start)
    if (index !== undefined) byBody.set(index, [...(byBody.get(index) ?? []), mutant])
  }
  const changed = [...byBody.keys()].map((index) => ({ index, ...bodies[index]! })).sort((a, b) => a.start - b.start)
  const render = (from: number, to: number): string => {
    let out = ''
    let at = from
    for (const { index, start, end, isBlock } of changed) {
      if (start < at || end > to || (start === from && end === to)) continue
      out += source.slice(at, start) + body(index, start, end, isBlock)
      at = end
    }
    return out + source.slice(at, to)
  }
  const body = (index: number, start: number, end: number, isBlock: boolean): string => {
    const own = byBody.get(index)!
    const reach = `globalThis.${SWITCH}?.reach([${own.map(({ id }) => id).join()}])`
    const cut = isBlock ? 1 : 0
    const variants = own.map(({ id, start: from, end: to, text }) => ({
      id,
      text: source.slice(start + cut, from) + text + source.slice(to, end - cut),
    }))
    const original = render(start + cut, end - cut)
    const is = (id: number): string => `globalThis.${SWITCH}?.on === ${id}`
    return isBlock
      ? `{${reach};${variants.map(({ id, text }) => `if (${is(id)}) {${text}\n} else `).join('')}{${original}\n}}`
      : `(${reach}, ${variants.map(({ id, text }) => `${is(id)} ? (${text}\n) : `).join('')}(${original}\n))`
  }
  return render(0, source.length)
}

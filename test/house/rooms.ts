// Who imports whom: rooms are the folders and files right below src, an arrow is at least one import between two.
import { readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import ts from 'typescript'

export type Imports = ReadonlyMap<string, readonly string[]>

/** The files of `src` that each file imports. Imports of types count: a reader follows them too. */
export function importsOf(files: readonly string[], root: string): Imports {
  const known = new Set(files)
  return new Map(
    files.map((file) => {
      const { importedFiles } = ts.preProcessFile(readFileSync(join(root, file), 'utf8'), true, true)
      const local = importedFiles
        .filter(({ fileName }) => fileName.startsWith('.'))
        .map(({ fileName }) => normalize(join(dirname(file), fileName)).replace(/\.js$/, '.ts'))
      return [file, [...new Set(local)].filter((each) => known.has(each))]
    }),
  )
}

const roomOf = (file: string): string => file.split('/')[1]!.replace(/\.ts$/, '')

export function roomsOf(imports: Imports): { readonly rooms: readonly string[]; readonly arrows: readonly string[] } {
  const arrows = new Set<string>()
  for (const [file, imported] of imports)
    for (const each of imported) if (roomOf(file) !== roomOf(each)) arrows.add(`${roomOf(file)} -> ${roomOf(each)}`)
  return { rooms: [...new Set([...imports.keys()].map(roomOf))].sort(), arrows: [...arrows].sort() }
}

/** Files that import each other, directly or around: strongly connected components of two and more (Tarjan, 1972). */
export function circles(imports: Imports): readonly (readonly string[])[] {
  const index = new Map<string, number>()
  const low = new Map<string, number>()
  const stack: string[] = []
  const found: string[][] = []
  const visit = (file: string): void => {
    index.set(file, index.size)
    low.set(file, index.get(file)!)
    stack.push(file)
    for (const each of imports.get(file) ?? []) {
      if (!index.has(each)) visit(each)
      if (stack.includes(each)) low.set(file, Math.min(low.get(file)!, low.get(each)!))
    }
    if (low.get(file) !== index.get(file)) return
    const circle = stack.splice(stack.indexOf(file))
    if (circle.length > 1) found.push(circle.sort())
  }
  for (const file of imports.keys()) if (!index.has(file)) visit(file)
  return found
}

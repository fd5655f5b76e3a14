// The changes of one source file, one at a time: what a test should notice.
import ts from 'typescript'

export interface Mutant {
  readonly file: string
  readonly line: number
  readonly what: string
  readonly start: number
  readonly end: number
  readonly text: string
}

const OPPOSITES: Readonly<Record<string, string>> = {
  '<': '<=',
  '<=': '<',
  '>': '>=',
  '>=': '>',
  '===': '!==',
  '!==': '===',
  '&&': '||',
  '||': '&&',
  '+': '-',
  '+=': '-=',
}

/** All changes of a file, in the order of its text. */
export function mutantsOf(file: string, source: string): readonly Mutant[] {
  const tree = ts.createSourceFile(file, source, ts.ScriptTarget.Latest, true)
  const found: Mutant[] = []
  const add = (node: ts.Node, what: string, text: string, end = node.end): void => {
    const start = node.getStart(tree)
    found.push({ file, line: tree.getLineAndCharacterOfPosition(start).line + 1, what, start, end, text })
  }
  const visit = (node: ts.Node): void => {
    // Types, imports and the words of errors change nothing that a client can send or see.
    if (ts.isTypeNode(node) || ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return
    if (ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)) return
    if (ts.isThrowStatement(node)) return add(node, 'drop throw', ';')
    if (ts.isNewExpression(node) && /Error$/.test(node.expression.getText(tree))) return
    change(node, add, tree)
    ts.forEachChild(node, visit)
  }
  visit(tree)
  return found.sort((a, b) => a.start - b.start || a.end - b.end)
}

type Add = (node: ts.Node, what: string, text: string, end?: number) => void

function change(node: ts.Node, add: Add, tree: ts.SourceFile): void {
  if (ts.isIfStatement(node) || ts.isWhileStatement(node)) negate(node.expression, add, tree)
  else if (ts.isConditionalExpression(node)) negate(node.condition, add, tree)
  else if (ts.isExpressionStatement(node) && !ts.isStringLiteral(node.expression)) add(node, 'drop statement', ';')
  else if (ts.isReturnStatement(node) && ts.isIfStatement(node.parent)) add(node, 'drop return', ';')
  else if (ts.isBinaryExpression(node)) {
    const operator = node.operatorToken.getText(tree)
    const other = OPPOSITES[operator]
    if (other !== undefined) add(node.operatorToken, `${operator} to ${other}`, other)
  } else if (ts.isArrayLiteralExpression(node))
    for (const element of node.elements) add(element, 'drop element', ts.isSpreadElement(element) ? '...[]' : '')
  else if (ts.isStringLiteral(node) && node.text !== '' && !isName(node)) add(node, 'empty string', "''")
  else if (ts.isRegularExpressionLiteral(node)) {
    for (const text of withoutAlternatives(node.text)) add(node, 'drop alternative', text)
  } else if (node.kind === ts.SyntaxKind.TrueKeyword) add(node, 'true to false', 'false')
  else if (node.kind === ts.SyntaxKind.FalseKeyword) add(node, 'false to true', 'true')
}

function negate(condition: ts.Expression, add: Add, tree: ts.SourceFile): void {
  add(condition, 'negate', `!(${condition.getText(tree)})`)
}

/** A key of an object, or an element, which is dropped as a whole. */
function isName(node: ts.StringLiteral): boolean {
  const { parent } = node
  return (ts.isPropertyAssignment(parent) && parent.name === node) || ts.isArrayLiteralExpression(parent)
}

/** The expression without each of its alternatives. */
function* withoutAlternatives(literal: string): Generator<string> {
  const end = literal.lastIndexOf('/')
  const open: { start: number; bars: number[] }[] = [{ start: 0, bars: [] }]
  let inClass = false
  for (let at = 1; at <= end; at += 1) {
    const sign = literal[at]
    if (sign === '\\') at += 1
    else if (inClass) inClass = sign !== ']'
    else if (sign === '[') inClass = true
    else if (sign === '(') {
      const head = /^\((?:\?(?:[:=!]|<[=!]|<\w+>))?/.exec(literal.slice(at))![0]
      open.push({ start: at + head.length - 1, bars: [] })
    } else if (sign === '|') open.at(-1)!.bars.push(at)
    else if (sign === ')' || at === end) {
      const { start, bars } = open.pop()!
      const cuts = [start, ...bars, at]
      if (bars.length > 0)
        for (let one = 0; one + 1 < cuts.length; one += 1) {
          const [from, to] = one === 0 ? [cuts[0]! + 1, cuts[1]! + 1] : [cuts[one]!, cuts[one + 1]!]
          yield literal.slice(0, from) + literal.slice(to)
        }
    }
  }
}

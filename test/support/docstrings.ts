import ts from 'typescript'

function isExported(node: ts.Statement): boolean {
  const modifiers = ts.canHaveModifiers(node) ? (ts.getModifiers(node) ?? []) : []
  return modifiers.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)
}

function namesOf(node: ts.Statement): string[] {
  if (ts.isVariableStatement(node)) {
    return node.declarationList.declarations.map(({ name }) => name.getText())
  }
  const { name } = node as ts.Statement & { name?: ts.Node }
  return [name?.getText() ?? '(unnamed)']
}

/** The exports of a file that nothing is said about: neither beside them nor, for the whole file, in a
 *  comment with `@module`. `XDeps`, `XInit` and types taken from a schema need no words of their own. */
export function undocumentedExports(fileName: string, source: string): string[] {
  if (/\/\*\*[^]*?@module[^]*?\*\//.test(source)) return []
  const file = ts.createSourceFile(fileName, source, ts.ScriptTarget.ESNext, true)
  return file.statements
    .filter((node) => isExported(node) && !ts.isTypeAliasDeclaration(node))
    .filter((node) => ts.getJSDocCommentsAndTags(node).length === 0)
    .flatMap(namesOf)
    .filter((name) => !/(Deps|Init)$/.test(name))
}

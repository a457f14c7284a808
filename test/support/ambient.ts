/**
 * Finds where code reaches for time, randomness, timers or the environment by itself instead of
 * being handed them: what makes a seeded simulation possible, and so what lint has to forbid.
 * @module
 */

import ts from 'typescript'

const bannedGlobals = new Set([
  'setTimeout',
  'setInterval',
  'setImmediate',
  'queueMicrotask',
  'requestAnimationFrame',
  'performance',
  'crypto',
])
/** Members of globals that are otherwise welcome. */
const bannedMembers = new Map([
  ['Date', new Set(['now'])],
  ['Math', new Set(['random'])],
  ['AbortSignal', new Set(['timeout'])],
  ['process', new Set(['env', 'hrtime', 'nextTick', 'uptime', 'loadEnvFile'])],
])
const globalObjects = new Set(['globalThis', 'global', 'self', 'window'])
const bannedModules = /^(node:)?(timers(\/promises)?|perf_hooks)$/
const processModule = /^(node:)?process$/
const cryptoModule = /^(node:)?crypto$/
const randomSources =
  /^(random(Bytes|Fill|FillSync|Int|UUID)|getRandomValues|webcrypto|generateKey(Pair)?(Sync)?|default|\*)$/

/** `object.name` or `object['name']`; undefined where the name is computed. */
function memberName(
  node: ts.PropertyAccessExpression | ts.ElementAccessExpression,
): string | undefined {
  if (ts.isPropertyAccessExpression(node)) return node.name.text
  return ts.isStringLiteralLike(node.argumentExpression) ? node.argumentExpression.text : undefined
}

function isMemberAccess(
  node: ts.Node | undefined,
): node is ts.PropertyAccessExpression | ts.ElementAccessExpression {
  return (
    node !== undefined &&
    (ts.isPropertyAccessExpression(node) || ts.isElementAccessExpression(node))
  )
}

/** What `node` means where it names a global, directly or as a member of the global object. */
function globalName(node: ts.Node, declared: ReadonlySet<string>): string | undefined {
  if (ts.isIdentifier(node)) return declared.has(node.text) ? undefined : node.text
  if (!isMemberAccess(node) || !ts.isIdentifier(node.expression)) return undefined
  return globalObjects.has(node.expression.text) ? memberName(node) : undefined
}

/** Whether an identifier stands for a value here, and not for a type, a label or a property's name. */
function isReference(node: ts.Identifier): boolean {
  const { parent } = node
  if (ts.isPropertyAccessExpression(parent)) return parent.expression === node
  if (ts.isQualifiedName(parent) || ts.isTypeReferenceNode(parent)) return false
  if (ts.isTypeQueryNode(parent) || ts.isExpressionWithTypeArguments(parent)) return false
  if (ts.isImportSpecifier(parent) || ts.isImportClause(parent)) return false
  if (ts.isShorthandPropertyAssignment(parent)) return true
  const named = parent as ts.Node & { name?: ts.Node; propertyName?: ts.Node }
  return named.name !== node && named.propertyName !== node
}

/** Names that the file declares itself, anywhere: a parameter called `crypto` is none of our business. */
function declaredNames(file: ts.SourceFile): Set<string> {
  const names = new Set<string>()
  const visit = (node: ts.Node): void => {
    const isDeclaration =
      ts.isVariableDeclaration(node) ||
      ts.isParameter(node) ||
      ts.isBindingElement(node) ||
      ts.isFunctionDeclaration(node) ||
      ts.isImportSpecifier(node) ||
      ts.isNamespaceImport(node) ||
      ts.isImportClause(node)
    if (isDeclaration && node.name && ts.isIdentifier(node.name)) names.add(node.name.text)
    ts.forEachChild(node, visit)
  }
  visit(file)
  return names
}

/** Whether `new Date(...)` is told which date. */
function isToldDate(node: ts.Node): boolean {
  return ts.isNewExpression(node) && (node.arguments?.length ?? 0) > 0
}

function importTrouble(node: ts.ImportDeclaration): string | undefined {
  const from = (node.moduleSpecifier as ts.StringLiteral).text
  if (bannedModules.test(from)) return `import of ${from}`
  const clause = node.importClause
  if (!clause || clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return undefined
  const names: string[] = clause.name ? ['default'] : []
  const bindings = clause.namedBindings
  if (bindings && ts.isNamespaceImport(bindings)) names.push('*')
  if (bindings && ts.isNamedImports(bindings)) {
    for (const element of bindings.elements) {
      if (!element.isTypeOnly) names.push((element.propertyName ?? element.name).text)
    }
  }
  const banned = names.filter((name) => {
    if (processModule.test(from)) return bannedMembers.get('process')?.has(name) || name === '*'
    return cryptoModule.test(from) && randomSources.test(name)
  })
  return banned.length > 0 ? `import of ${banned.join(', ')} from ${from}` : undefined
}

/** Each place in `source` that takes time, timers, randomness or the environment from the platform, as
 *  `line: what`. Reads syntax only: an alias of an alias escapes it, a reviewer does not. */
export function ambientUses(fileName: string, source: string): string[] {
  const file = ts.createSourceFile(fileName, source, ts.ScriptTarget.ESNext, true)
  const declared = declaredNames(file)
  // An imported `process` is still the process.
  declared.delete('process')
  const found: string[] = []
  const report = (node: ts.Node, what: string): void => {
    const { line } = file.getLineAndCharacterOfPosition(node.getStart(file))
    found.push(`${line + 1}: ${what}`)
  }

  const inspect = (node: ts.Node, name: string): void => {
    if (bannedGlobals.has(name)) return report(node, name)
    const members = bannedMembers.get(name)
    if (!members) return
    const { parent } = node
    if (name === 'Date' && (ts.isNewExpression(parent) || ts.isCallExpression(parent))) {
      if (parent.expression === node && !isToldDate(parent)) report(node, 'Date of now')
      return
    }
    if (isMemberAccess(parent) && parent.expression === node) {
      const member = memberName(parent)
      if (member === undefined || members.has(member)) report(node, `${name}.${member ?? '[...]'}`)
    } else if (!ts.isBinaryExpression(parent) && !ts.isTypeOfExpression(parent)) {
      report(node, `${name} passed on`)
    }
  }

  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) {
      const trouble = importTrouble(node)
      if (trouble !== undefined) report(node, trouble)
      return
    }
    if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [from] = node.arguments
      const name = from && ts.isStringLiteralLike(from) ? from.text : ''
      if ([bannedModules, processModule, cryptoModule].some((banned) => banned.test(name))) {
        report(node, `import of ${name}`)
      }
    }
    if (ts.isIdentifier(node) && isReference(node)) {
      if (!globalObjects.has(node.text) || declared.has(node.text)) {
        const name = globalName(node, declared)
        if (name !== undefined) inspect(node, name)
      } else if (!isMemberAccess(node.parent) || memberName(node.parent) === undefined) {
        report(node, `${node.text} passed on`)
      }
    } else if (isMemberAccess(node)) {
      const name = globalName(node, declared)
      if (name !== undefined) inspect(node, name)
    }
    ts.forEachChild(node, visit)
  }
  visit(file)
  return found
}

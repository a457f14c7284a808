/** What a run says: a table for people, or one JSON object for programs. @module */

import { isReached, type Measure } from './harness.ts'
import type { Machine } from './machine.ts'

export interface Report {
  readonly bench: string
  readonly machine: Machine
  readonly measures: readonly Measure[]
}

/** One line of JSON: `{bench, machine, measures: [{name, value, unit, target, ok}]}`. */
export function formatJson({ bench, machine, measures }: Report): string {
  const rows = measures.map((measure) => {
    const { name, value, unit, target } = measure
    return { name, value, unit, target, ok: isReached(measure) }
  })
  return `${JSON.stringify({ bench, machine, measures: rows })}\n`
}

/** The measures as aligned columns under a line about the machine. */
export function formatTable({ bench, machine, measures }: Report): string {
  const head = ['measure', 'value', 'unit', 'target', '', 'how']
  const rows = measures.map((measure) => [
    measure.name,
    measure.value === null ? 'skipped' : String(rounded(measure.value)),
    measure.unit,
    measure.target ? `${measure.target.op} ${measure.target.value}` : '',
    verdict(measure),
    measure.note ?? '',
  ])
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => (row[column] ?? '').length)),
  )
  const numeric = new Set([1])
  const lines = [head, ...rows].map((row) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0
        return numeric.has(column) ? cell.padStart(width) : cell.padEnd(width)
      })
      .join('  ')
      .trimEnd(),
  )
  return `${bench} on ${describe(machine)}\n\n${lines.join('\n')}\n`
}

function verdict(measure: Measure): string {
  const reached = isReached(measure)
  if (reached === null) return ''
  return reached ? 'ok' : 'MISSED'
}

function describe({ cpu, cores, memoryMb, system, node, commit, disk, load }: Machine): string {
  const where = `${cores} x ${cpu}, ${memoryMb} MB, ${system}, Node ${node}, scratch on ${disk}`
  return `${where}, load ${load}${commit === null ? '' : `, commit ${commit}`}`
}

/** Three digits that count: more would claim what no run on a shared machine can know. */
function rounded(value: number): number {
  return Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3))
}

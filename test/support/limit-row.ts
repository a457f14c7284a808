import type { Rate } from '../../src/base/util/gcra.ts'

const units: readonly (readonly [bytes: number, name: string])[] = [
  [2 ** 30, 'GiB'],
  [2 ** 20, 'MiB'],
  [2 ** 10, 'KiB'],
]

function shown(name: string, value: number): string {
  if (/Bytes/.test(name)) {
    const unit = units.find(([bytes]) => value >= bytes && value % bytes === 0)
    return unit ? `${value / unit[0]} ${unit[1]}` : `${value.toLocaleString('en')} B`
  }
  if (/Ms(Max|Min)?$/.test(name)) return value % 1000 === 0 ? `${value / 1000} s` : `${value} ms`
  if (/Hours/.test(name)) return value % 24 === 0 ? `${value / 24} d` : `${value} h`
  return value.toLocaleString('en')
}

/** The first two cells of a limit's row in docs/limits.md: its name, and its value with the unit that the
 *  name ends in. */
export function limitRow(name: string, value: number | Rate): string {
  const text =
    typeof value === 'number'
      ? shown(name, value)
      : `${value.perSecond.toLocaleString('en')} a second, ${value.burst.toLocaleString('en')} at once`
  return `| \`${name}\` | ${text} |`
}

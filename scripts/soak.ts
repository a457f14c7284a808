/** `npm run soak -- kill [cycles]`: what takes too long for every commit. @module */

import { runKillCycles } from '../test/fault/kill-cycles.ts'

const [name, count = '1000'] = process.argv.slice(2)
const cycles = Number(count)
if (name !== 'kill' || !Number.isSafeInteger(cycles) || cycles < 1) {
  process.stderr.write('usage: npm run soak -- kill [cycles]\n')
  process.exit(64)
}
const report = await runKillCycles({
  cycles,
  random: Math.random,
  tell: (line) => process.stderr.write(`${line}\n`),
})
const { lost, doubled, sent, delivered, killedUnderLoad } = report
process.stdout.write(
  `${cycles} kills, ${killedUnderLoad} under load; ${sent} messages, ${delivered} delivered, ` +
    `${lost.length} lost, ${doubled.length} doubled\n`,
)
const failed = lost.length + doubled.length + (sent - delivered)
process.stdout.write(`${delivered - lost.length} passed, ${failed} failed\n`)
process.exit(failed > 0 || sent === 0 ? 1 : 0)

import t from 'tap'
import { runKillCycles } from './kill-cycles.ts'

t.test(
  'I1, I6: 15 kills of the receiving daemon lose and double nothing',
  { timeout: 300_000 },
  async (t) => {
    const report = await runKillCycles({ cycles: 15, random: Math.random })
    t.comment(JSON.stringify(report))
    t.strictSame(report.lost, [])
    t.strictSame(report.doubled, [])
    t.equal(report.delivered, report.sent, 'in the end everything is delivered')
    t.ok(report.sent >= 15, 'there was load')
    t.ok(report.killedUnderLoad >= 7, 'and kills hit it')
  },
)

import t, { type Test } from 'tap'
import { AbzuError } from '../../../src/base/util/errors.ts'
import { SessionFiles } from '../../../src/surface/cli/session-files.ts'
import { AbzuClient } from '../../../src/surface/client/client.ts'
import { abzu } from '../../support/cli.ts'
import { startFakeDaemon } from '../../support/fake-daemon.ts'
import { fakeId } from '../../support/fake-services.ts'
import { dangers, payloads } from '../../support/payloads.ts'
import { tempHome } from '../../support/temp-home.ts'
import { atTerminal, noTerminal } from '../../support/terminal.ts'

/** A daemon with `anna`, whose session the command line has. */
async function household(t: Test) {
  const env = tempHome(t)
  const daemon = await startFakeDaemon(env)
  t.teardown(() => daemon.close())
  const client = new AbzuClient({ socketPath: daemon.socket })
  const { id, token } = await client.createAccount({ name: 'anna', role: 'admin', password: 'pw' })
  await new SessionFiles(`${env.ABZU_HOME}/sessions`).save(id, token)
  return { ...daemon, env, anna: daemon.accounts.member('anna') }
}

t.test('the payloads are many, and each is dangerous', async (t) => {
  t.ok(payloads.length >= 200, `${payloads.length} payloads`)
  const harmless = payloads.filter((text) => dangers(text).length === 0 && !text.includes('\n'))
  t.strictSame(harmless, [])
})

t.test('inbox: nothing dangerous on stdout, as text and as JSON', async (t) => {
  const { env, anna } = await household(t)
  for (const payload of payloads) anna.receive({ text: payload, name: payload })

  const text = await abzu(env, ['inbox'])
  t.equal(text.code, 0)
  t.strictSame(dangers(text.stdout), [])
  const heads = text.stdout.split('\n').filter((line) => line !== '' && !line.startsWith('  | '))
  t.equal(heads.length, payloads.length, 'no text forges the head of a message')

  const json = await abzu(env, ['inbox', '--json'])
  t.equal(json.code, 0)
  t.strictSame(dangers(json.stdout), [])
  const lines = json.stdout.trimEnd().split('\n')
  t.equal(lines.length, payloads.length)
  for (const [index, line] of lines.entries()) {
    const { text, name } = JSON.parse(line) as { text: string; name: string }
    const sent = payloads[index]?.toWellFormed()
    t.ok(text.toWellFormed() === sent && name.toWellFormed() === sent, 'and it is the same value')
  }
})

t.test('inbox at a terminal', { skip: noTerminal }, async (t) => {
  const { env, anna } = await household(t)
  for (const payload of payloads) anna.receive({ text: payload, name: payload })
  for (const args of [['inbox'], ['inbox', '--json']]) {
    const { code, screen } = await atTerminal(env, args)
    t.equal(code, 0)
    t.ok(screen.length > payloads.length * 20)
    t.strictSame(dangers(screen.replaceAll('\r\n', '\n')), [])
  }
})

t.test('every other output that shows what others chose', async (t) => {
  const { env, anna, node } = await household(t)
  const known = { verified: false, blocked: false, request: false }
  for (const [index, payload] of payloads.entries()) {
    const id = fakeId(index % 30)
    anna.known.clear()
    anna.known.set(id, { id, name: payload, ...known })
    anna.contacts.add = async () => ({ id, name: payload, ...known })
    anna.contacts.safetyNumber = () => payload
    anna.contacts.link = async () => `abzu:${payload}`
    anna.messages.show = async (msgId: string) => ({
      msgId,
      state: 'held' as const,
      history: [
        { state: 'queued' as const, at: '2026-01-01T00:00:00Z', by: payload },
        { state: 'held' as const, at: payload, by: payload, until: payload },
      ],
    })
    node.nameOf = () => (index % 2 === 0 ? payload : undefined)
    node.addresses = () => [payload]
    anna.messages.send = async () => {
      throw new AbzuError('ABZU_NOT_FOUND', payload)
    }
    const commands = [
      ['contact', 'list'],
      ['contact', 'add', 'x', '--as', 'x'],
      ['contact', 'verify', id],
      ['contact', 'block', id],
      ['contact', 'link'],
      ['message', 'show', '1'],
      ['status'],
      ['send', id, 'x'],
    ]
    const command = commands[index % commands.length] ?? []
    for (const args of [command, [...command, '--json']]) {
      const { stdout, stderr } = await abzu(env, args)
      t.ok(stdout.length + stderr.length > 10)
      t.strictSame(dangers(stdout + stderr), [], args.join(' '))
    }
  }
})

t.test('a contact link of any length is inert, QR code or not', async (t) => {
  const { env, anna } = await household(t)
  anna.contacts.link = async () => `abzu:abzu1${'q'.repeat(3000)}`
  const { code, stdout } = await abzu(env, ['contact', 'link'])
  t.equal(code, 0)
  t.strictSame(stdout.split('\n').length, 2, 'too long for a picture')
})

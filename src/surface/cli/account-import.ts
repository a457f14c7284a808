import { open } from 'node:fs/promises'
import { Option, type Command } from 'commander'
import { AbzuError, isAbzuError } from '../../base/util/errors.ts'
import { roles, type Role } from '../../user/household/role.ts'
import type { AbzuClient } from '../client/client.ts'
import type { Answer } from '../client/routes.ts'
import { byteAmount } from './byte-amount.ts'
import { newCommand } from './command.ts'
import type { CliContext } from './context.ts'
import { lastLine } from './last-line.ts'
import { readPassword, withPasswordOptions, type PasswordOptions } from './password.ts'
import { secretOfFile } from './secret-input.ts'
import { sessionFiles } from './session.ts'

interface Options extends PasswordOptions {
  readonly name?: string
  readonly role?: Role
  readonly filePasswordFile?: string
  readonly fileIdentity?: string
}

type Line = Answer<'importAccount'>
type Progress = Extract<Line, { progress: unknown }>['progress']
type Imported = Extract<Line, { imported: unknown }>['imported']

const identityBytesMax = 4096
/** As large as the daemon takes. */
const pieceBytes = 4 * 1024 * 1024

/** `abzu account import`: an account comes back from a file. */
export function accountImport(context: CliContext): Command {
  return withPasswordOptions(newCommand('import', context))
    .description('Bring an account here from an export; this node is its home from then on')
    .argument('<file>', 'from `abzu account export`')
    .option('--name <name>', 'what the account is called on this node, where not as before')
    .option('--file-password-file <file>', 'the password of the export, where it is another one')
    .option('--file-identity <file>', 'the age identity to which the export was sealed')
    .addOption(
      new Option(
        '--role <role>',
        'what the account may do here; an Adult where left out, the Admin of a node without one',
      ).choices(roles),
    )
    .action(async (path: string, options: Options) => {
      const { name, role: wanted } = options
      const secret = await fileSecret(context, options)
      const isNew = Object.keys(secret).length > 0
      const password = await readPassword(context, options, { twice: isNew })
      const client = await context.daemon()
      const asked = {
        password,
        ...secret,
        ...(name !== undefined && { name }),
        ...(wanted && { role: wanted }),
      }
      const imported = await watch(context, client, { path, asked })
      const { id, role, token, items, bytes, isUpToDate, ...account } = imported
      await (await sessionFiles(context)).save(id, token)
      const told = { id, name: account.name, role, items, bytes, isUpToDate }
      await context.output.result(told, () => [
        `${account.name} is ${id}, imported and unlocked: ${items} items, ${byteAmount(bytes)}.`,
        'This node is its home now; an earlier one freezes the account as soon as it learns of it.',
        isUpToDate
          ? 'What had changed since the file was made was brought as well.'
          : 'No other node of the account was reached: what has changed since the file was made comes when one is.',
      ])
    })
}

async function fileSecret(
  context: CliContext,
  { filePasswordFile, fileIdentity }: Options,
): Promise<{ filePassword?: string; fileIdentity?: string }> {
  if (filePasswordFile !== undefined && fileIdentity !== undefined) {
    throw new AbzuError('ABZU_INVALID_ARGUMENT', 'an export has a password or an identity')
  }
  if (filePasswordFile !== undefined) {
    const kind = { what: 'a password', bytesMax: 1024 }
    return { filePassword: await secretOfFile(context, filePasswordFile, kind) }
  }
  if (fileIdentity === undefined) return {}
  const kind = { what: 'an age identity', bytesMax: identityBytesMax }
  const text = await secretOfFile(context, fileIdentity, kind)
  const lines = text.split('\n').map((line) => line.trim())
  const found = lines.find((line) => line.startsWith('AGE-SECRET-KEY-'))
  if (found !== undefined) return { fileIdentity: found }
  throw new AbzuError('ABZU_FILE_INVALID', `${fileIdentity} holds no age identity`)
}

async function watch(
  context: CliContext,
  client: AbzuClient,
  {
    path,
    asked,
  }: { path: string; asked: Omit<Parameters<AbzuClient['importAccount']>[0], 'upload'> },
): Promise<Imported> {
  const upload = await brought(context, client, path)
  await context.output.progress('looking whether the file is whole')
  const lines = client.importAccount({ ...asked, upload })
  return (await lastLine(context, lines, describe)).imported
}

function describe({ items, itemsTotal, bytes }: Progress): string | undefined {
  return itemsTotal === 0 ? undefined : `${items} of ${itemsTotal} items, ${byteAmount(bytes)}`
}

/** Brings a file to the daemon: what it is called there. */
async function brought({ output }: CliContext, client: AbzuClient, path: string): Promise<string> {
  let upload: string | undefined
  try {
    for await (const { at, piece, size } of pieces(path)) {
      upload ??= await client.beginUpload()
      await client.upload(upload, at, piece)
      await output.progress(`${byteAmount(at + piece.length)} of ${byteAmount(size)} read`)
    }
    return upload ?? (await client.beginUpload())
  } finally {
    await output.progress('')
  }
}

async function* pieces(
  path: string,
): AsyncGenerator<{ at: number; piece: Uint8Array; size: number }> {
  try {
    await using file = await open(path)
    const { size } = await file.stat()
    const buffer = new Uint8Array(pieceBytes)
    for (let at = 0; ;) {
      const { bytesRead } = await file.read(buffer, 0, pieceBytes, at)
      if (bytesRead === 0) return
      yield { at, piece: buffer.subarray(0, bytesRead), size }
      at += bytesRead
    }
  } catch (cause) {
    if (isAbzuError(cause)) throw cause
    throw new AbzuError('ABZU_FILE_INVALID', `cannot read ${path}`, { cause })
  }
}

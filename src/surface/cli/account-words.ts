import type { Command } from 'commander'
import type { RecoveryShare } from '../../base/crypto/recovery-share.ts'
import type { AccountId } from '../../base/util/brand.ts'
import { AbzuError, toAbzuError } from '../../base/util/errors.ts'
import { newCommand, withAccountOption } from './command.ts'
import type { CliContext } from './context.ts'
import { askLine, secretOf, secretOfFile } from './secret-input.ts'
import { pickAccount } from './session.ts'
import { wordColumns } from './word-columns.ts'
import { readWords } from './words-input.ts'

interface Options {
  readonly check?: boolean
  readonly join?: boolean
  readonly account?: string
  readonly wordsFile?: string
  readonly sharesFile?: string
}

/** The words are those of another account. */
const exitCodeOthers = 1
/** 16 shares, each on a line, and room. */
const sharesBytesMax = 4096

/** `abzu account words`: whether somebody has the right words, and words put together from shares. Neither words nor
 *  shares leave this process: the daemon is only asked which accounts there are. */
export function accountWords(context: CliContext): Command {
  return withAccountOption(newCommand('words', context))
    .description("Check an account's words, or put them together from shares")
    .option('--check', "say whether the words are the account's; exit code 1 where they are not")
    .option('--words-file <file>', 'read the words from a file, - for standard input')
    .option('--join', 'put words together from the shares that friends have told; needs no daemon')
    .option('--shares-file <file>', 'read the shares from a file, one a line, - for standard input')
    .action(async (options: Options) => {
      if (options.check === options.join) {
        throw new AbzuError('ABZU_INVALID_ARGUMENT', 'say either --check or --join')
      }
      await (options.check ? check(context, options) : join(context, options))
    })
}

async function check(context: CliContext, { account, wordsFile }: Options): Promise<void> {
  const { accounts } = await (await context.daemon()).status()
  const { id, name } = pickAccount(accounts, account)
  const matches = (await accountOf(await readWords(context, wordsFile))) === id
  if (!matches) context.exitCode = exitCodeOthers
  await context.output.result({ id, name, matches }, () => [
    matches
      ? `These are the words of ${name}. They bring it back on any node.`
      : `These are words, but not those of ${name}.`,
  ])
}

async function join(context: CliContext, { sharesFile }: Options): Promise<void> {
  const { joinShares } = await import('../../base/crypto/recovery-share.ts')
  const { nodePlatform } = await import('../../base/crypto/node-platform.ts')
  const shares =
    sharesFile === undefined ? await askShares(context) : await sharesOfFile(context, sharesFile)
  const words = await joinShares(nodePlatform(), shares)
  const id = await accountOf(words.join(' '))
  await context.output.result({ id, words }, () => [
    `The words of ${id}:`,
    '',
    ...wordColumns(words),
    '',
    'Write them down and keep them away from this machine. They are shown this once.',
    'To bring the account here: abzu account recover --name <name>',
    'Who told you a share may tell it to others: abzu account share-words makes new ones.',
  ])
}

/** The account that words give.
 *  @throws {AbzuError} ABZU_WORDS_INVALID */
async function accountOf(typed: string): Promise<AccountId> {
  const { accountIdOf } = await import('../../base/crypto/address.ts')
  const { nodePlatform } = await import('../../base/crypto/node-platform.ts')
  const { parseWords, rootKeysOf } = await import('../../base/crypto/words.ts')
  const platform = nodePlatform()
  const { rootSeed, recoverySeed } = rootKeysOf(platform, parseWords(typed))
  try {
    return accountIdOf(platform.ed25519.publicKey(rootSeed))
  } finally {
    rootSeed.fill(0)
    recoverySeed.fill(0)
  }
}

async function sharesOfFile(context: CliContext, file: string): Promise<RecoveryShare[]> {
  const { parseShareText } = await import('../../base/crypto/recovery-share.ts')
  const kind = { what: 'the shares', bytesMax: sharesBytesMax }
  const text =
    file === '-'
      ? await secretOf(context.io.stdin, { ...kind, source: 'standard input' })
      : await secretOfFile(context, file, kind)
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  return lines.map((line, n) => {
    try {
      return parseShareText(line)
    } catch (error) {
      const { code, message } = toAbzuError(error)
      throw new AbzuError(code, `share ${n + 1}: ${message}`, { cause: error })
    }
  })
}

/** One after the other, each judged as it is typed, until there are as many as the first one says. */
async function askShares(context: CliContext): Promise<RecoveryShare[]> {
  const { parseShareText } = await import('../../base/crypto/recovery-share.ts')
  const shares: RecoveryShare[] = []
  for (let need = 1; shares.length < need; need = shares[0]?.need ?? 1) {
    const of = shares.length === 0 ? '' : ` of ${need}`
    const typed = await askLine(context, {
      message: `Share ${shares.length + 1}${of}`,
      otherwise: '--shares-file',
      judge: parseShareText,
    })
    shares.push(typed)
  }
  return shares
}

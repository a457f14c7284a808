import type { Scheduler } from '../../base/util/clock.ts'
import type { Answer, Request } from '../client/routes.ts'
import { recoveryLines } from './recovery-lines.ts'
import type { AccountsService, MemberService, UploadsService } from './services.ts'

export interface ImportLinesDeps {
  readonly accounts: Pick<AccountsService, 'import'>
  readonly uploads: Pick<UploadsService, 'take'>
  readonly scheduler: Scheduler
  readonly openSession: (member: MemberService) => ImportedSession
  /** Gives the password's bytes to `use` and wipes them. */
  readonly withPassword: <T>(password: string, use: (bytes: Uint8Array) => Promise<T>) => Promise<T>
}

type Line = Answer<'importAccount'>
type ImportedSession = Omit<
  Extract<Line, { imported: unknown }>['imported'],
  'items' | 'bytes' | 'isUpToDate'
>

/** How far an import has come, again and again, and the account in the end. The file that was brought in goes, whatever
 *  becomes of it.
 *  @throws {AbzuError} those of AccountsService.import and of UploadsService.take */
export async function* importLines(
  deps: ImportLinesDeps,
  init: { readonly body: Request<'importAccount'>['body']; readonly signal: AbortSignal },
): AsyncGenerator<Line> {
  const { accounts, uploads, openSession, withPassword } = deps
  const { upload, password, filePassword, fileIdentity, name, role } = init.body
  const { signal } = init
  const secret =
    fileIdentity !== undefined ? { identity: fileIdentity } : { password: filePassword ?? password }
  const lines = recoveryLines(deps, {
    signal,
    recover: async (progress) =>
      uploads.take(upload, async (sealed) =>
        withPassword(password, async (bytes) => {
          const asked = { sealed, secret, name, role, password: bytes, progress, signal }
          const { member, isUpToDate } = await accounts.import(asked)
          return { ...openSession(member), isUpToDate }
        }),
      ),
  })
  for await (const line of lines) {
    if ('progress' in line) yield line
    else yield { imported: line.recovered }
  }
}

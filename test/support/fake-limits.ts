import { AbzuError } from '../../src/base/util/errors.ts'
import type {
  AccountSummary,
  HouseholdLimits,
  LimitsService,
  PersonLimits,
} from '../../src/surface/api/services.ts'

const rate = { perSecond: 5, burst: 50 }
const usual: PersonLimits['limits'] = {
  sending: rate,
  receiving: rate,
  calls: rate,
  outboxItems: 300,
  mailItems: 400,
  mailBytes: 500,
  vaultItems: 600,
  vaultBytes: 700,
}
const use = { mailItems: 4, mailBytes: 5, vaultItems: 6, vaultBytes: 7, outboxItems: 3 }
const nodeUsual = {
  sending: rate,
  receiving: rate,
  calls: rate,
  peerSending: rate,
  peerReceiving: rate,
  householdBytes: 5000,
}

type Changes<T> = { readonly [K in keyof T]?: T[K] | null | undefined }

/** Limits that bound nobody, until a test says so. */
export class FakeLimits implements LimitsService {
  readonly #account: (nameOrId: string) => Pick<AccountSummary, 'id' | 'name' | 'role'>
  readonly #set = new Map<string, object>()
  readonly #names = ['anna', 'berta']
  #quotaBytes = 100
  /** Calls that were counted, by whose. */
  readonly calls: (string | undefined)[] = []
  /** Whose calls are too many. */
  tooFast: string | undefined

  constructor(account: (nameOrId: string) => Pick<AccountSummary, 'id' | 'name' | 'role'>) {
    this.#account = account
  }

  call(id: string | undefined): void {
    this.calls.push(id)
    if (id !== undefined && id === this.tooFast) {
      throw new AbzuError('ABZU_RATE_LIMITED', 'too many calls')
    }
  }

  look = async (): Promise<HouseholdLimits> => ({
    people: this.#names.flatMap((name) => this.#known(name)),
    peopleCount: 2,
    roles: [{ role: 'child', ...this.#told('child', usual) }],
    node: await this.setNode({}),
    peers: [await this.setPeer('ben', this.#quotaBytes)],
  })

  person(nameOrId: string): PersonLimits {
    const { id, name, role } = this.#account(nameOrId)
    const rates = { sending: 1, receiving: 2, calls: 3 }
    return { id, name, role, ...this.#told(id, usual), use: { ...use, ...rates } }
  }

  setPerson = async (nameOrId: string, changes: Changes<PersonLimits['limits']>) => {
    this.#change(this.#account(nameOrId).id, changes)
    return this.person(nameOrId)
  }

  setRole = async (role: AccountSummary['role'], changes: Changes<PersonLimits['limits']>) => {
    this.#change(role, changes)
    return { role, ...this.#told(role, usual) }
  }

  setNode = async (changes: Changes<HouseholdLimits['node']['limits']>) => {
    this.#change('node', changes)
    const nodeUse = { sending: 1, receiving: 2, calls: 3, householdBytes: 12 }
    return { ...this.#told('node', nodeUsual), use: nodeUse }
  }

  setPeer = async (nameOrPeerId: string, quotaBytes: number) => {
    const peerId = `12D3KooW${'B'.repeat(44)}`
    if (nameOrPeerId !== 'ben' && nameOrPeerId !== peerId) {
      throw new AbzuError('ABZU_NOT_FOUND', `no peer ${nameOrPeerId}`)
    }
    this.#quotaBytes = quotaBytes
    return { peerId, name: 'ben', quotaBytes, usedBytes: 3 }
  }

  #known(name: string): PersonLimits[] {
    try {
      return [this.person(name)]
    } catch {
      return []
    }
  }

  #change(of: string, changes: object): void {
    const all = Object.entries<unknown>({ ...this.#set.get(of), ...changes })
    this.#set.set(of, Object.fromEntries(all.filter(([, value]) => value !== null)))
  }

  #told<T extends object>(of: string, limits: T): { limits: T; set: string[] } {
    const set = this.#set.get(of) ?? {}
    return { limits: { ...limits, ...set }, set: Object.keys(set) }
  }
}

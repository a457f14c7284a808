/** What the running node knows of its own troubles. @module */

import { fine, type Finding } from '../../base/health/finding.ts'
import type { OpenReport } from '../../base/store/store.ts'
import type { VerifyReport } from '../../base/store/verifier.ts'
import { hourMs } from '../../base/util/clock.ts'
import { plausibleFromMs, type ClockDoubt } from './clock-watch.ts'
import type { TimeOpinion } from './peer-time.ts'
import type { Reachability } from './reachability.ts'

const minuteMs = 60_000
const dayMs = 24 * hourMs
const plausibleToMs = Date.UTC(2126, 0, 1)

/** How others reach this node, and whether anybody does. */
export function reachabilityFindings({ addresses, lan, peers }: Reachability): Finding[] {
  return [reach(addresses), company({ lan, count: peers.inbound + peers.outbound })]
}

function reach(addresses: Reachability['addresses']): Finding {
  const check = 'reachability'
  const announce = 'forward the port on the router and set "announce" in config.json'
  if (!addresses.some(({ source }) => source === 'listening')) {
    const means = 'nobody reaches this node; it reaches others'
    const remedy = 'set "tcp" in config.json'
    return { check, severity: 'error', found: 'the node listens nowhere', means, remedy }
  }
  if (addresses.some(({ scope }) => scope === 'public')) {
    return fine(check, 'listens at, or announces, a public address')
  }
  if (addresses.some(({ scope }) => scope === 'lan')) {
    const found = 'no public address is known'
    const means = 'nodes outside this network reach this one only while it is connected to them'
    return { check, severity: 'note', found, means, remedy: announce }
  }
  const means = 'only programs of this machine reach this node'
  const remedy = 'connect the machine to a network, or set "tcp" in config.json'
  return { check, severity: 'warning', found: 'listens on loopback alone', means, remedy }
}

function company({ lan, count }: { lan: boolean; count: number }): Finding {
  if (count > 0) return fine('peers', `nodes connected: ${count}`)
  return {
    check: 'peers',
    severity: 'warning',
    found: `connected with nobody, LAN discovery ${lan ? 'on' : 'off'}`,
    means: 'nothing is delivered, in or out, before a connection comes about',
    remedy: 'add a contact, or name a node in "bootstrap" or with abzu start --peer',
  }
}

export interface ClockReport {
  readonly nowMs: number
  readonly doubt: ClockDoubt | undefined
  readonly opinions: readonly TimeOpinion[]
}

/** What time it is, as far as the node can tell. */
export function clockFindings({ nowMs, doubt, opinions }: ClockReport): Finding[] {
  const check = 'clock'
  const remedy = "set the machine's clock, and let it follow a time server"
  const means =
    'mail that this node sends may be refused, and what it receives may end too early or late'
  if (nowMs < plausibleFromMs || nowMs > plausibleToMs) {
    const year = new Date(nowMs).getUTCFullYear()
    return [{ check, severity: 'error', found: `the year is ${year}`, means, remedy }]
  }
  if (doubt) return [doubted(doubt)]
  const astray = opinions.filter(({ differenceMs }) => Math.abs(differenceMs) > 5 * minuteMs)
  const [first] = astray
  if (first && astray.length > opinions.length / 2) {
    const found = `${astray.length} of ${opinions.length} peers have another time, the first by ${duration(first.differenceMs)}`
    return [{ check, severity: 'warning', found, means, remedy }]
  }
  return [fine(check, `agrees with the peers that were asked: ${opinions.length - astray.length}`)]
}

function doubted({ jumpMs, since, witnesses }: ClockDoubt): Finding {
  const when = since === 'restart' ? 'since the node ran last' : 'while the node ran'
  return {
    check: 'clock',
    severity: 'warning',
    found: `the clock jumped by ${duration(jumpMs)} ${when}; ${witnesses} of 2 peers agree with it`,
    means: 'nothing that is kept for a time ends or is destroyed before the time is confirmed',
    remedy: 'look at the clock of this machine; where it is right: abzu doctor --confirm-time',
  }
}

function duration(ms: number): string {
  const size = Math.abs(ms)
  const text =
    size >= 2 * dayMs
      ? `${Math.round(size / dayMs)} days`
      : size >= 2 * hourMs
        ? `${Math.round(size / hourMs)} hours`
        : `${Math.round(size / minuteMs)} minutes`
  return ms < 0 ? `${text} back` : `${text} ahead`
}

/** What happened to the store before this start; what a check of it found since is told apart. */
export function storeFindings({
  wasClosed,
  lostCommits,
  isDiskFull,
}: Omit<OpenReport, 'isNew'>): Finding[] {
  const check = 'store'
  if (lostCommits > 0) {
    const found = `${lostCommits} commits that were durable once are gone`
    const means = 'the disk has lost what it had confirmed; letters may be missing'
    const remedy = 'look at the disk; abzu doctor --verify says what is missing'
    return [{ check, severity: 'error', found, means, remedy }]
  }
  if (isDiskFull) {
    const found = 'the disk was full when the node started'
    const means = 'nothing new is stored until there is room'
    return [{ check, severity: 'error', found, means, remedy: 'make room on the disk' }]
  }
  if (wasClosed) return [fine(check, 'was closed in good order, and nothing is missing')]
  const found = 'was not closed in good order before this start'
  const means = 'nothing that was confirmed is lost by that; all of it was checked at the start'
  return [
    { check, severity: 'note', found, means, remedy: 'abzu stop ends the daemon in good order' },
  ]
}

/** What a check of every row found. */
export function verificationFindings(report: VerifyReport): Finding[] {
  const { items, rows, damaged, lost, returned, isSound } = report
  const check = 'store-verified'
  if (isSound) return [fine(check, `${items} items and ${rows} rows are as they were written`)]
  return [
    {
      check,
      severity: 'error',
      found: `of ${items} items and ${rows} rows, ${damaged} were damaged, ${lost} were lost, ${returned} came back`,
      means: 'the disk did not keep what it had confirmed; what could be mended is',
      remedy: 'look at the disk, and restore what is missing from another copy',
    },
  ]
}

/** The records by which others find the people of this node. */
export interface RecordCondition {
  /** Hours until the record ends; undefined where there is no record. */
  readonly hoursLeft: number | undefined
  /** Hours since another node took it; undefined where nothing publishes it. */
  readonly hoursSincePublished?: number | undefined
}

/** Records that end soon are renewed by their owner alone. */
const hoursLeftMin = 30 * 24
/** Holders republish twice a day. */
const hoursSincePublishedMax = 48

/** Says nothing of whose records they are: anyone who opens the socket may ask. */
export function recordFindings(records: readonly RecordCondition[]): Finding[] {
  const check = 'records'
  const missing = records.filter(({ hoursLeft }) => hoursLeft === undefined).length
  const ended = records.filter(({ hoursLeft }) => hoursLeft !== undefined && hoursLeft <= 0).length
  const ending = records.filter(({ hoursLeft = 0 }) => hoursLeft > 0 && hoursLeft < hoursLeftMin)
  const unseen = records.filter(
    ({ hoursSincePublished = 0 }) => hoursSincePublished > hoursSincePublishedMax,
  )
  const remedy = 'let these people unlock their accounts once: that signs a new record'
  if (missing + ended > 0) {
    const found = `${missing + ended} of ${records.length} accounts have no record that holds`
    return [{ check, severity: 'error', found, means: 'nobody can write to them', remedy }]
  }
  if (ending.length > 0) {
    const found = `the records of ${ending.length} of ${records.length} accounts end within 30 days`
    return [{ check, severity: 'warning', found, means: 'then nobody can write to them', remedy }]
  }
  if (unseen.length > 0) {
    const found = `the records of ${unseen.length} of ${records.length} accounts were not published for two days`
    const means = 'who knows only the address may not find them'
    return [{ check, severity: 'warning', found, means, remedy: 'see that the node has peers' }]
  }
  return [fine(check, `accounts whose records hold: ${records.length}`)]
}

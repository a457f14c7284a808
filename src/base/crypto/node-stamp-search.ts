import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { Cancel, Scheduler } from '../util/clock.ts'
import { AbzuError, assert } from '../util/errors.ts'
import type { StampSearch } from './stamp-mill.ts'
import type { StampSlice } from './stamp.ts'

/** A thread takes 30 ms to start and 11 MB while it lives. */
const idleMs = 60_000

/** Searches on a thread of its own, which is there while there is work, and a minute longer. */
export class NodeStampSearch implements StampSearch {
  readonly #scheduler: Pick<Scheduler, 'after'>
  #worker: Worker | undefined
  #cancelIdle: Cancel | undefined

  constructor(scheduler: Pick<Scheduler, 'after'>) {
    this.#scheduler = scheduler
  }

  prepare(): void {
    this.#worker ??= this.#start()
    this.#cancelIdle?.()
    this.#cancelIdle = this.#scheduler.after(idleMs, () => void this.close())
  }

  /** @throws {AbzuError} ABZU_INTERNAL where the thread ends */
  async search(slice: StampSlice): Promise<Uint8Array | undefined> {
    this.prepare()
    assert(this.#worker, 'a search has its thread')
    return answerOf(this.#worker, slice)
  }

  async close(): Promise<void> {
    this.#cancelIdle?.()
    const worker = this.#worker
    this.#worker = undefined
    await worker?.terminate()
  }

  #start(): Worker {
    // beside this file, in the source and in the built package
    const file = `./node-stamp-worker${extname(import.meta.url)}`
    const worker = new Worker(new URL(file, import.meta.url), { execArgv: [], env: {} })
    worker.unref()
    worker.once('exit', () => {
      if (this.#worker === worker) this.#worker = undefined
    })
    // told to whoever waits for an answer; without a listener it would end the daemon
    worker.on('error', () => {})
    return worker
  }
}

async function answerOf(worker: Worker, slice: StampSlice): Promise<Uint8Array | undefined> {
  return new Promise((resolve, reject) => {
    const settle = (finish: () => void): void => {
      worker.off('message', onMessage).off('error', onError).off('exit', onExit)
      finish()
    }
    const onMessage = (stamp: Uint8Array | undefined): void => settle(() => resolve(stamp))
    const onError = (cause: unknown): void => settle(() => reject(ended(cause)))
    const onExit = (): void => settle(() => reject(ended()))
    worker.on('message', onMessage).on('error', onError).on('exit', onExit)
    worker.postMessage(slice)
  })
}

function ended(cause?: unknown): AbzuError {
  return new AbzuError('ABZU_INTERNAL', 'the thread that makes stamps ended', { cause })
}

/**
 * Work that waits for relays: one queue for all apps, on disk. A job is tried at once, then after growing pauses, until it is done, cannot be
 * done, or its time is over. Its end and what follows from it are one change, so a crash repeats a try and loses nothing.
 */
import { formatHex } from '../../../core/encoding/bytes.ts'
import { PersonadError } from '../../../errors/personad-error.ts'
import { untilAborted } from '../../../process/pulse.ts'
import { CustodyError } from '../../custody/errors.ts'
import { inChange, noteFailure, onDisk, type MessagesMeans } from '../records/means.ts'
import { objectName } from '../records/ids.ts'
import { JOB, type Job, type Task } from '../records/kinds.ts'
import { Fetched } from './fetched.ts'

const MAX_RUNNING = 8 // sanity: objects that come or go together; each takes a connection of 64
const SLOW_MS = 20_000 // sanity: people whose stores are slow together keep nobody else waiting for longer
const MAX_WITH_SLOW = 32 // sanity: half of the connections
const MAX_RUNNING_FOR = 2 // sanity: a person whose store is slow keeps nobody else waiting
const FIRST_PAUSE_SEC = 5 // sanity: a relay that starts anew is back
const MAX_PAUSE_SEC = 3600 // sanity: a relay that is down for days is asked 24 times a day
const ID_BYTES = 8

/** This try is over, and no later one will do. */
export class GiveUp extends PersonadError {
  override readonly name = 'GiveUp'

  /** @param reason a code, which the app gets */
  constructor(reason: string) {
    super(reason, 'no later try will do')
  }
}

/** A part of the work is done. */
export class PartDone extends PersonadError<'PART_DONE'> {
  override readonly name = 'PartDone'
  readonly task: Task

  /** @param task the work that is left @param cause why it is left */
  constructor(task: Task, cause: unknown) {
    super('PART_DONE', 'a part of the work is left', { cause })
    this.task = task
  }
}

export interface Performer {
  /**
   * Makes one try.
   * @param finish ends the job with what `stage` writes, in one change
   * @throws {GiveUp} {PartDone} or any error, after which it is tried again
   */
  run(job: Job, finish: (stage: () => void) => Promise<void>, signal: AbortSignal): Promise<void>
  /** The job ends undone. Inside of the change that removes it. */
  giveUp(job: Job, reason: string): void
}

interface Known {
  readonly app: string
  readonly do: Task['do']
  readonly bytes: number
  /** PersonaID of the other side; null for the own stores. */
  readonly party: string | null
  /** The number of the message that it sends. */
  readonly sent: number | null
  /** Why the last try failed. */
  reason: string | null
  nextSec: number
  /** When the try began that runs; null if none does. */
  sinceMs: number | null
}

export class Queue {
  readonly #means: MessagesMeans
  readonly #performer: Performer
  readonly #jobs = new Map<string, Known>()
  readonly #running = new Set<Promise<void>>()
  readonly #fetched = new Fetched()
  /** Jobs that are not on disk: an inbox keeps the entries that lead to them. */
  readonly #unwritten = new Map<string, Job>()
  #stop = new AbortController()
  #cancel: () => void = () => {}

  /** Called once an object was read, or has failed for good. */
  fetchOver: (app: string, name: string) => void = () => {}

  constructor(means: MessagesMeans, performer: Performer) {
    this.#means = means
    this.#performer = performer
    // A job that is added before the opening waits for it.
    this.#stop.abort()
  }

  /** Reads the jobs on disk, and begins. @throws {CustodyError} APPS_LOCKED */
  async open(): Promise<void> {
    this.#stop = new AbortController()
    for await (const [id, job] of onDisk(this.#means, JOB).iterate()) this.#note(id, job)
    this.#look()
  }

  /** Ends what runs. The jobs stay on disk, or their entries at an inbox. */
  async close(): Promise<void> {
    this.#stop.abort()
    this.#cancel()
    await this.idle()
    this.#jobs.clear()
    this.#fetched.clear()
    this.#unwritten.clear()
  }

  /** Resolves once nothing runs and nothing is due. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running)
  }

  /** Adds a job that is due at once. Inside of a change. */
  add(app: string, task: Task, untilSec: number): void {
    const [id, job] = this.#made(app, task, untilSec)
    inChange(this.#means, JOB).put(id, job)
    if (task.do === 'fetch') this.#fetched.add(app, objectName(task), task.at ?? '', task.from)
    this.#track(this.#begin(id, job))
  }

  /** Fetches an object whose entry stays at an inbox meanwhile. So the job goes to disk only when its first try has failed. */
  fetch(app: string, task: Extract<Task, { do: 'fetch' }>, untilSec: number): void {
    const [id, job] = this.#made(app, task, untilSec)
    this.#unwritten.set(id, job)
    this.#note(id, job)
    this.#look()
  }

  #made(app: string, task: Task, untilSec: number): [id: string, job: Job] {
    const { engine, nowSec } = this.#means.keeper
    const id = `${app}/${formatHex(engine.randomBytes(ID_BYTES)).toLowerCase()}`
    return [id, { app, task, tries: 0, reason: null, nextSec: nowSec, untilSec }]
  }

  /** A relay can be reached again: all jobs that wait are due, or those that wait for this reason. */
  wake(reason: string | null = null): void {
    for (const job of this.#jobs.values()) if (reason === null || job.reason === reason) job.nextSec = 0
    this.#look()
  }

  /** Whether an object is on its way here. @param name see objectName() */
  fetches(app: string, name: string): boolean {
    return this.#fetched.has(app, name)
  }

  /** Objects of a sender that are on their way here. @param at address of the inbox that announced them */
  fetchesOf(app: string, at: string, from: string): number {
    return this.#fetched.count(app, at, from)
  }

  /** Why a message of an app has not gone yet; null if nothing has failed. */
  reasonOf(app: string, sent: number): string | null {
    for (const job of this.#jobs.values())
      if (job.app === app && job.sent === sent && job.reason !== null) return job.reason
    return null
  }

  /** Why the jobs of an app fail that send something, each reason once, and for how many. */
  failures(app: string): ReadonlyMap<string, number> {
    const found = new Map<string, number>()
    for (const { app: of, do: kind, reason } of this.#jobs.values())
      if (of === app && kind !== 'fetch' && kind !== 'delete' && reason !== null)
        found.set(reason, (found.get(reason) ?? 0) + 1)
    return found
  }

  /** Jobs of an app, or of all. */
  count(kind: Task['do'], app: string | null = null): { readonly jobs: number; readonly bytes: number } {
    let [jobs, bytes] = [0, 0]
    for (const job of this.#jobs.values()) {
      if (job.do !== kind || (app !== null && job.app !== app)) continue
      jobs++
      bytes += job.bytes
    }
    return { jobs, bytes }
  }

  /** A job may run once it is on disk: else a crash would forget what the relay has heard already. */
  async #begin(id: string, job: Job): Promise<void> {
    await Promise.resolve()
    await this.#means.keeper.change(() => {})
    if (this.#stop.signal.aborted) return
    this.#note(id, job)
    this.#look()
  }

  #note(id: string, { app, task, nextSec, reason }: Job): void {
    if (this.#jobs.has(id)) return
    const bytes = task.do === 'store' ? task.bytes : 0
    const party = task.do === 'fetch' ? task.from : task.do === 'post' ? task.persona : null
    const sent = task.do === 'store' || task.do === 'post' ? task.sent : null
    if (task.do === 'fetch') this.#fetched.add(app, objectName(task), task.at ?? '', task.from)
    this.#jobs.set(id, { app, do: task.do, bytes, party, sent, reason, nextSec, sinceMs: null })
  }

  #look(): void {
    this.#cancel()
    if (this.#stop.signal.aborted) return
    const { keeper, clock } = this.#means
    const { nowSec } = keeper
    const nowMs = clock.nowMs()
    const running = [...this.#jobs.values()].filter((job) => job.sinceMs !== null)
    const waiting = [...this.#jobs]
      .filter(([, job]) => job.sinceMs === null)
      .toSorted((a, b) => a[1].nextSec - b[1].nextSec)
    for (const [id, job] of waiting) {
      if (job.nextSec > nowSec) {
        const waitSec = Math.min(job.nextSec - nowSec, MAX_PAUSE_SEC)
        this.#cancel = clock.after(waitSec * 1000, () => this.#look())
        return
      }
      const quick = running.filter(({ sinceMs }) => sinceMs! + SLOW_MS > nowMs)
      // The end of another job is the time to look again, and so is the moment from which it is a slow one.
      if (quick.length >= MAX_RUNNING || running.length >= MAX_WITH_SLOW) {
        this.#cancel = clock.after(SLOW_MS, () => this.#look())
        return
      }
      if (running.filter(({ party }) => party === job.party).length >= MAX_RUNNING_FOR) continue
      job.sinceMs = nowMs
      running.push(job)
      this.#track(this.#try(id, job))
    }
  }

  async #try(id: string, known: Known): Promise<void> {
    const later = await this.#run(id)
    this.#unwritten.delete(id)
    if (later === null) this.#jobs.delete(id)
    else Object.assign(known, later, { sinceMs: null })
    this.#look()
  }

  /** @returns when and why the job is due again; null if it is over */
  async #run(id: string): Promise<Pick<Known, 'nextSec' | 'reason'> | null> {
    const job = this.#unwritten.get(id) ?? onDisk(this.#means, JOB).get(id)
    if (job === undefined) return null
    const { keeper } = this.#means
    const { signal } = this.#stop
    const end = async (stage: () => void): Promise<void> => {
      signal.throwIfAborted()
      await keeper
        .change(() => {
          inChange(this.#means, JOB).delete(id)
          stage()
        })
        .then(() => this.#over(job))
    }
    try {
      if (job.untilSec <= keeper.nowSec) throw new GiveUp(job.reason ?? 'EXPIRED')
      // A try may look for a card, which somebody's relay never gives: the end does not wait for it.
      await untilAborted(this.#performer.run(job, end, signal), signal)
      return null
    } catch (error) {
      if (error instanceof CustodyError || signal.aborted) throw error
      if (error instanceof GiveUp) {
        await end(() => this.#performer.giveUp(job, error.code))
        return null
      }
      return await this.#later(id, job, error)
    }
  }

  #over({ app, task }: Job): void {
    if (task.do !== 'fetch') return
    this.#fetched.delete(app, objectName(task))
    this.fetchOver(app, objectName(task))
  }

  async #later(id: string, job: Job, error: unknown): Promise<Pick<Known, 'nextSec' | 'reason'>> {
    const { keeper } = this.#means
    const [task, cause] = error instanceof PartDone ? [error.task, error.cause] : [job.task, error]
    noteFailure(`message.${task.do}`, cause, this.#means)
    const next: Job = {
      ...job,
      task,
      tries: job.tries + 1,
      reason: cause instanceof PersonadError ? String(cause.code) : 'FAILED',
      nextSec: keeper.nowSec + pauseSec(job.tries, cause),
    }
    await keeper.change(() => inChange(this.#means, JOB).put(id, next))
    return { nextSec: next.nextSec, reason: next.reason }
  }

  #track(work: Promise<void>): void {
    const running = work
      // The key has closed, or the daemon stops: the job stays on disk.
      .catch((error: unknown) => noteFailure('message.queue', error, this.#means))
      .finally(() => this.#running.delete(running))
    this.#running.add(running)
  }
}

/** The pause after a number of tries that failed; at least what a relay asks for. */
function pauseSec(tries: number, cause: unknown): number {
  const asked = cause instanceof PersonadError ? cause.details['retryAfterSec'] : undefined
  const grown = Math.min(MAX_PAUSE_SEC, FIRST_PAUSE_SEC * 2 ** Math.min(tries, 16))
  return Math.min(MAX_PAUSE_SEC, Math.max(grown, typeof asked === 'number' ? asked : 0))
}

/**
 * Gives memory back to the system once a program has nothing to do. V8 collects garbage where memory is needed again, and glibc keeps what was
 * freed, so a daemon would hold the memory of its largest piece of work until it ends.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describeError } from '../process/describe-error.ts'
import type { Log } from '../process/log.ts'

const CHECK_EVERY_MS = 50_000 // sanity: one wakeup; the memory is back within two minutes after the work
const MAX_BUSY = 0.02 // sanity: of a processor; an idle daemon uses a thousandth
const MIN_GROWTH_BYTES = 8 * 1024 * 1024 // sanity: less is not worth a pause
const MAX_HEAP_BYTES = 64 * 1024 * 1024 // sanity: 20 MiB pause the daemon for 70 ms, and nobody may wait much longer for an answer

/** Giving back needs this of the process. */
export interface Memory {
  /** User and system, in ms. */
  cpuMs(): number
  residentBytes(): number
  heapBytes(): number
  /** Collects all garbage of JavaScript. */
  collect(): void
  /** Returns what native code has freed. */
  trim(): void
}

/** Looks now and then whether there is something to give back. @returns stops the timer */
export async function scheduleGivingBack(log: Log): Promise<() => void> {
  const giveBack = giverOf(await openMemory(log))
  const timer = setInterval(giveBack, CHECK_EVERY_MS)
  timer.unref()
  return () => clearInterval(timer)
}

/** @returns call it every {@link CHECK_EVERY_MS}. It gives back once the process was idle since the call before, and has grown since it last gave back. */
export function giverOf(memory: Memory): () => void {
  let lastCpuMs = 0
  let leastBytes = 0
  return () => {
    const cpuMs = memory.cpuMs()
    const isIdle = cpuMs - lastCpuMs < MAX_BUSY * CHECK_EVERY_MS
    lastCpuMs = cpuMs
    if (!isIdle || memory.residentBytes() < leastBytes + MIN_GROWTH_BYTES) return
    if (memory.heapBytes() <= MAX_HEAP_BYTES) memory.collect()
    memory.trim()
    leastBytes = memory.residentBytes()
  }
}

type Collect = (options: { type: 'major'; flavor: 'last-resort'; execution: 'sync' }) => void

/** The memory of this process. */
export async function openMemory(log: Log): Promise<Memory> {
  const trim = await loadTrim(log)
  return {
    cpuMs: () => {
      const { user, system } = process.cpuUsage()
      return (user + system) / 1000
    },
    residentBytes: () => process.memoryUsage.rss(),
    heapBytes: () => process.memoryUsage().heapUsed,
    // An ordinary collection keeps the pages of the heap.
    collect: () => loadCollect()({ type: 'major', flavor: 'last-resort', execution: 'sync' }),
    trim,
  }
}

/** V8 gives its collector to contexts that are made while a flag is set. No other code gets it. */
function loadCollect(): Collect {
  setFlagsFromString('--expose-gc')
  try {
    return runInNewContext('gc') as Collect
  } finally {
    setFlagsFromString('--no-expose-gc')
  }
}

/** Only glibc keeps what was freed. */
async function loadTrim(log: Log): Promise<() => void> {
  try {
    const { default: koffi } = await import('koffi')
    const trim = koffi.load(null).func('int malloc_trim(size_t pad)')
    return () => void trim(0)
  } catch (error) {
    log.debug('memory.koffi', { ...describeError(error), message: 'freed memory of native code is kept' })
    return () => {}
  }
}

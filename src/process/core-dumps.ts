/** No core dumps: a crash must not write to disk what only memory should hold. Spoken through libc, as notify.ts does. */
import { readFile } from 'node:fs/promises'
import { describeError } from './describe-error.ts'
import type { Log } from './log.ts'

/** The calls of libc that are used; each returns -1 on failure. */
export interface CoreLibc {
  /** Soft and hard limit 0, also for children. */
  limitCore(): number
  /**
   * PR_SET_DUMPABLE: the kernel writes no core, whatever its core_pattern, and no other program of this user may look into the memory.
   * Where the system has no such thing, -1.
   */
  hide(): number
}

export interface CoreDumpOptions {
  readonly log: Log
  readonly loadLibc?: () => Promise<CoreLibc>
  /** The text of /proc/self/limits, null where there is none. */
  readonly readLimits?: () => Promise<string | null>
}

const RLIMIT_CORE = 4 // the same number on Linux, macOS and the BSDs
const PR_SET_DUMPABLE = 4 // linux/prctl.h

/**
 * To be called before a secret is in memory. What does not work is logged.
 * @returns what the owner should know: nothing, or that a crash may write a core dump
 */
export async function forbidCoreDumps(options: CoreDumpOptions): Promise<string[]> {
  const { log } = options
  try {
    const libc = await (options.loadLibc ?? loadLibc)()
    // The sandbox of the unit refuses the first, and has its own limit.
    const results = [libc.limitCore(), libc.hide()]
    if (results.includes(0)) return []
    log.warn('core.refused', { message: 'the system refuses to forbid core dumps' })
  } catch (error) {
    log.debug('core.koffi', { ...describeError(error), message: 'the optional package koffi did not load' })
  }
  const limits = await (options.readLimits ?? readLimits)()
  if (limits !== null && /^Max core file size +0 +/m.test(limits)) return []
  return ['a crash of the daemon could write a core dump: start it as the service, or after "ulimit -c 0"']
}

async function readLimits(): Promise<string | null> {
  return await readFile('/proc/self/limits', 'utf8').catch(() => null)
}

async function loadLibc(): Promise<CoreLibc> {
  const { default: koffi } = await import('koffi')
  const program = koffi.load(null)
  const setrlimit = program.func('int setrlimit(int resource, const uint64_t *limit)')
  const limitCore = (): number => Number(setrlimit(RLIMIT_CORE, [0, 0]))
  if (process.platform !== 'linux') return { limitCore, hide: () => -1 }
  const prctl = program.func('int prctl(int option, unsigned long, unsigned long, unsigned long, unsigned long)')
  return { limitCore, hide: () => Number(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)) }
}

/**
 * Forbids core dumps: a crash must not write to disk what only memory should hold. Calls libc, as service-manager.ts
 * does.
 */
import { readFile } from 'node:fs/promises'
import { describeError } from './describe-error.ts'
import type { Log } from './log.ts'

/** The libc calls we use; each returns -1 on failure. */
export interface CoreLibc {
  /** Sets the soft and hard limit to 0, for children too. */
  limitCore(): number
  /**
   * Clears PR_SET_DUMPABLE: the kernel writes no core, whatever its core_pattern, and no other program of this user
   * can read our memory. Returns -1 on systems without it.
   */
  hide(): number
}

export interface CoreDumpOptions {
  readonly log: Log
  readonly loadLibc?: () => Promise<CoreLibc>
  /** Reads /proc/self/limits; null where it does not exist. */
  readonly readLimits?: () => Promise<string | null>
}

const RLIMIT_CORE = 4 // the same number on Linux, macOS and the BSDs
const PR_SET_DUMPABLE = 4 // linux/prctl.h

/**
 * Forbids core dumps. Call it before a secret is in memory. Logs what does not work.
 * @returns notices for the owner: empty, or that a crash may write a core dump
 */
export async function forbidCoreDumps(options: CoreDumpOptions): Promise<string[]> {
  const { log } = options
  try {
    const libc = await (options.loadLibc ?? loadLibc)()
    // The unit's sandbox refuses the first call, but sets its own limit.
    const results = [libc.limitCore(), libc.hide()]
    if (results.includes(0)) return []
    log.warn('core.refused', { message: 'cannot forbid core dumps: the system refuses' })
  } catch (error) {
    log.debug('core.koffi', { ...describeError(error), message: 'cannot load the optional package koffi' })
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

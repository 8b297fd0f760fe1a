/**
 * Unblocks SIGUSR1. Node opens its debugger on this signal unless a listener exists. The option --disable-sigusr1
 * prevents that by blocking the signal in the whole process, so no listener gets it either. Measured with Node 24.21.
 */
import { constants } from 'node:os'
import { describeError } from './describe-error.ts'
import type { Log } from './log.ts'

/** Unblocks a signal in the calling thread. @returns 0, or another number on failure */
export type Unblock = (signal: number) => number

const SIGSET_BYTES = 128 // sigset_t on Linux; on other systems it is smaller
const SIG_UNBLOCK = process.platform === 'linux' ? 1 : 2

export interface UnblockOptions {
  readonly log: Log
  /** The options that Node was started with. */
  readonly nodeOptions?: string
  readonly load?: () => Promise<Unblock>
}

/** Call it once a listener exists. Without koffi it logs that the signal locks nothing. */
export async function unblockSigusr1(options: UnblockOptions): Promise<void> {
  const nodeOptions = options.nodeOptions ?? `${process.execArgv.join(' ')} ${process.env['NODE_OPTIONS'] ?? ''}`
  if (!nodeOptions.includes('--disable-sigusr1')) return
  const message = 'SIGUSR1 cannot lock the signing key: Node was started with --disable-sigusr1'
  try {
    const unblock = await (options.load ?? loadUnblock)()
    if (unblock(constants.signals.SIGUSR1) !== 0) options.log.warn('sigusr1.blocked', { message })
  } catch (error) {
    options.log.warn('sigusr1.blocked', { ...describeError(error), message: `${message}, and koffi cannot be loaded` })
  }
}

async function loadUnblock(): Promise<Unblock> {
  const { default: koffi } = await import('koffi')
  const program = koffi.load(null)
  const empty = program.func('int sigemptyset(void *set)')
  const add = program.func('int sigaddset(void *set, int signal)')
  const mask = program.func('int pthread_sigmask(int how, const void *set, void *old)')
  return (signal) => {
    const set = new Uint8Array(SIGSET_BYTES)
    empty(set)
    add(set, signal)
    return Number(mask(SIG_UNBLOCK, set, null))
  }
}

/**
 * Lock files beside an open profile: Qt's QLockFile (qTox), five lines, and toxygen's, a bare number. Both outlive a
 * killed client.
 */
import { readFile, readlink, stat } from 'node:fs/promises'
import { hostname } from 'node:os'
import { basename, join } from 'node:path'
import { decodeUtf8 } from '../../core/encoding/bytes.ts'
import { ToxError } from '../save/errors.ts'
import { readBoundedFile } from './read-file.ts'

const UNKNOWN_PROGRAM = 'an unknown program'
const MAX_TEXT_BYTES = 4096 // sanity: five short lines

/** Where to read facts about this machine's processes. Tests pass another place. */
export interface Machine {
  readonly procDir: string
  readonly machineIdFile: string
  readonly hostname: string
}

export const thisMachine: Machine = { procDir: '/proc', machineIdFile: '/etc/machine-id', hostname: hostname() }

export interface LockHolder {
  readonly program: string
  /** Null when the file does not say, or names another machine */
  readonly pid: number | null
}

/**
 * Finds who holds the lock, by Qt's own rules for taking over a lock. A lock of this machine is stale after a reboot,
 * when its process is gone, or when another program now has that process number. A sandboxed client (Flatpak) writes the
 * number that it has in its own namespace; then only the kernel's list of locks tells whether it runs. A lock of another
 * machine (a shared home) or an unreadable lock counts as held, since nothing here can prove otherwise.
 * @returns null when there is no lock, or a stale one
 */
export async function lockHolder(lockPath: string, machine: Machine): Promise<LockHolder | null> {
  const text = await readText(lockPath)
  if (text === null) return null
  const [pidText = '', program = '', host = '', machineId = '', bootId = ''] = text
    .split('\n')
    .map((line) => line.trim())
  if (!/^[1-9][0-9]{0,9}$/.test(pidText)) return { program: UNKNOWN_PROGRAM, pid: null }
  if (!(await isThisMachine(machine, host, machineId))) return { program, pid: null }
  const currentBootId = await readText(join(machine.procDir, 'sys/kernel/random/boot_id'))
  if (bootId !== '' && currentBootId !== null && bootId !== currentBootId.trim()) return null
  const kernel = program === '' ? UNKNOWN : await kernelHolder(lockPath, machine)
  if (typeof kernel === 'number') return { program, pid: kernel }
  return (await isRunning(machine, pidText, program, kernel === UNKNOWN))
    ? { program: program || UNKNOWN_PROGRAM, pid: Number(pidText) }
    : null
}

async function isThisMachine(machine: Machine, host: string, machineId: string): Promise<boolean> {
  const ownId = (await readText(machine.machineIdFile))?.trim() ?? ''
  if (machineId !== '' && ownId !== '') return machineId === ownId
  return host === '' || host === machine.hostname
}

const INITIAL_PID_NAMESPACE = 'pid:[4026531836]' // linux: PROC_PID_INIT_INO
const UNKNOWN = 'unknown'

/**
 * Which process holds the file locked, as the kernel knows it: QLockFile keeps the file locked while it is held. We
 * compare the inode alone, because some file systems have several device numbers; a wrong match only counts as held.
 * @returns a process number of this namespace; null when no process holds it; `unknown` when the kernel does not show all
 *   locks here, as inside a container
 */
async function kernelHolder(lockPath: string, { procDir }: Machine): Promise<number | null | typeof UNKNOWN> {
  const namespace = await readlink(join(procDir, 'self/ns/pid')).catch(() => null)
  const locks = await readFile(join(procDir, 'locks'), 'utf8').catch(() => null)
  const file = await stat(lockPath, { bigint: true }).catch(() => null)
  if (locks === null || file === null) return UNKNOWN
  // `1: POSIX  ADVISORY  WRITE 4711 08:01:131090 0 EOF`; a waiting process has an arrow.
  for (const [, pid, inode] of locks.matchAll(/^\d+: (?!->).*?\s(-?\d+) [\da-f]+:[\da-f]+:(\d+) /gm)) {
    if (BigInt(inode!) === file.ino && Number(pid) > 0) return Number(pid)
  }
  return namespace === INITIAL_PID_NAMESPACE ? null : UNKNOWN
}

/** @param isUnsure whether a process that we cannot look into may hold the lock */
async function isRunning(machine: Machine, pid: string, program: string, isUnsure: boolean): Promise<boolean> {
  if ((await readText(join(machine.procDir, pid, 'comm'))) === null) return false
  // We can read this link only for our own processes. Another user's process may well hold the lock.
  const executable = await readlink(join(machine.procDir, pid, 'exe')).catch(() => null)
  if (executable === null || program === '') return isUnsure
  return basename(executable).replace(/ \(deleted\)$/, '') === program
}

/** Null when the file does not exist; empty when it exists but is not a small readable text. */
async function readText(path: string): Promise<string | null> {
  try {
    const { bytes } = await readBoundedFile(path, MAX_TEXT_BYTES)
    return decodeUtf8(bytes) ?? ''
  } catch (error) {
    return error instanceof ToxError && error.code === 'TOX_FILE_MISSING' ? null : ''
  }
}

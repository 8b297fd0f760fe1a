/** Lock files beside an open profile: Qt's QLockFile of qTox, five lines, and toxygen's, a number alone; both outlive a killed client. */
import { readlink } from 'node:fs/promises'
import { hostname } from 'node:os'
import { basename, join } from 'node:path'
import { decodeUtf8 } from '../../core/encoding/bytes.ts'
import { ToxError } from '../save/errors.ts'
import { readBoundedFile } from './read-file.ts'

const UNKNOWN_PROGRAM = 'an unknown program'
const MAX_TEXT_BYTES = 4096 // sanity: five short lines

/** Where the facts about this machine's processes stand; a test hands in another place. */
export interface Machine {
  readonly procDir: string
  readonly machineIdFile: string
  readonly hostname: string
}

export const thisMachine: Machine = { procDir: '/proc', machineIdFile: '/etc/machine-id', hostname: hostname() }

export interface LockHolder {
  readonly program: string
  /** Null when the file does not tell, or tells of another machine */
  readonly pid: number | null
}

/**
 * Who holds the lock, by the rules by which Qt itself takes a lock over: a lock of this machine is void after a reboot, when its
 * process is gone, or when the process of that number is another program. A lock of another machine (a shared home) or one that
 * cannot be read holds, since nothing here can tell that it does not.
 * @returns null when there is no lock, or a void one
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
  return (await isRunning(machine, pidText, program))
    ? { program: program || UNKNOWN_PROGRAM, pid: Number(pidText) }
    : null
}

async function isThisMachine(machine: Machine, host: string, machineId: string): Promise<boolean> {
  const ownId = (await readText(machine.machineIdFile))?.trim() ?? ''
  if (machineId !== '' && ownId !== '') return machineId === ownId
  return host === '' || host === machine.hostname
}

async function isRunning(machine: Machine, pid: string, program: string): Promise<boolean> {
  if ((await readText(join(machine.procDir, pid, 'comm'))) === null) return false
  // The link is readable for own processes only; a stranger's process may well be the holder.
  const executable = await readlink(join(machine.procDir, pid, 'exe')).catch(() => null)
  if (executable === null || program === '') return true
  return basename(executable).replace(/ \(deleted\)$/, '') === program
}

/** Null when the file is not there; empty when it is, but is no small readable text. */
async function readText(path: string): Promise<string | null> {
  try {
    const { bytes } = await readBoundedFile(path, MAX_TEXT_BYTES)
    return decodeUtf8(bytes) ?? ''
  } catch (error) {
    return error instanceof ToxError && error.code === 'TOX_FILE_MISSING' ? null : ''
  }
}

/** Error codes of the store, the state directory and the secrets files. Each code has one cause. */
import { PersonadError } from '../errors/personad-error.ts'

export type StoreErrorCode =
  | 'STATE_DIR_MISSING'
  | 'STATE_DIR_NOT_DIRECTORY'
  | 'STATE_DIR_SYMLINK'
  | 'STATE_DIR_FOREIGN_OWNER'
  | 'STATE_DIR_OPEN_TO_OTHERS'
  | 'STATE_DIR_PARENT_UNSAFE' // somebody else could replace the state directory
  | 'STORE_LOCKED' // another process uses the state directory
  | 'STORE_MISSING' // a required file is missing; the store never starts empty instead
  | 'STORE_CORRUPT' // the bytes on disk are not the ones that were written
  | 'STORE_LOST_WRITES' // readable, but acknowledged commits are missing
  | 'STORE_SCHEMA_NEWER' // written by a later personad
  | 'STORE_DISK_FULL'
  | 'STORE_IO' // any other error of the operating system; see the cause
  | 'STORE_STOPPED' // an earlier write failed, so the content on disk is unknown: stop and start again
  | 'STORE_CLOSED'
  | 'STORE_KEY_INVALID'
  | 'STORE_TOO_LARGE'
  | 'SALVAGE_TARGET' // the new directory exists already, or lies in the damaged one
  | 'SECRETS_SYMLINK'
  | 'SECRETS_NOT_FILE'
  | 'SECRETS_FOREIGN_OWNER'
  | 'SECRETS_OPEN_TO_OTHERS'
  | 'SECRETS_TOO_LARGE'
  | 'CREDENTIAL_UNUSABLE' // the key of the secrets files, from the service manager

export class StoreError extends PersonadError<StoreErrorCode> {
  override readonly name = 'StoreError'
}

/** Makes a STORE_CORRUPT error for a file. The caller has changed nothing before it throws this. */
export function corruptFile(file: string, offset: number, problem: string): StoreError {
  const message = `${file} is damaged at byte ${offset}: ${problem}; nothing was changed`
  return new StoreError('STORE_CORRUPT', message)
}

/** Makes a STORE_MISSING error for a required file. */
export function missingFile(file: string, why: string): StoreError {
  const message = `${file} is missing, but ${why}; put the file back or restore a backup`
  return new StoreError('STORE_MISSING', message)
}

/** Makes the STORE_MISSING error of a state directory that is not the one that was opened. */
export function stateLost(path: string): StoreError {
  const message = `${path} was removed or replaced while it was in use; put it back, or start again to begin with what is there`
  return new StoreError('STORE_MISSING', message)
}

// LevelDB keeps only the text of strerror. A limit on the size of files (EFBIG) means the same: there is no more room.
const NO_ROOM = /No space left on device|Disk quota exceeded|File too large|ENOSPC|EDQUOT|EFBIG/

/** Converts an error of the operating system or of LevelDB to a StoreError; returns a StoreError unchanged. */
export function storeErrorOf(cause: unknown, verb: string, path: string): StoreError {
  if (cause instanceof StoreError) return cause
  const codes = causeChain(cause).map((error) => ('code' in error ? String(error.code) : ''))
  const text = causeChain(cause)
    .map((error) => error.message)
    .join(': ')
  if (codes.includes('LEVEL_CORRUPTION')) {
    return new StoreError('STORE_CORRUPT', `${path} is damaged (${text})`, { cause })
  }
  if (codes.includes('DURABLE_DISK_FULL') || NO_ROOM.test(text)) {
    return new StoreError('STORE_DISK_FULL', `cannot ${verb} ${path}: the disk is full; make room and start again`, {
      cause,
    })
  }
  return new StoreError(
    'STORE_IO',
    `cannot ${verb} ${path}: ${text || String(cause)}; check the disk and start again`,
    { cause },
  )
}

function causeChain(cause: unknown): Error[] {
  const chain: Error[] = []
  for (let at = cause; at instanceof Error && chain.length < 8; at = at.cause) chain.push(at)
  return chain
}

/** Checks the directories above the state directory. Anybody who may write to one of them could replace the state directory. */
import type { Stats } from 'node:fs'
import { lstat, readlink } from 'node:fs/promises'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import { StoreError, storeErrorOf } from './errors.ts'

const OTHERS_WRITE = 0o002
const GROUP_WRITES = 0o020
const STICKY = 0o1000
const MAX_LINKS = 40 // format: limit of Linux itself

/** How the user of a program names its directory: that of the daemon, or that of the relay. */
export type DirectoryOption = '--home' | '--dir'

/** The users who may own a directory above ours, and the way to another one. */
interface Owners {
  readonly uid: number
  /** Owner of `/`. In the namespace of a confined service, root has no number of its own and shows up as this one. */
  readonly rootUid: number
  readonly option: DirectoryOption
}

/**
 * Walks from the root down to a directory as the system does. It refuses a directory or symbolic link on the way that somebody else could
 * change, like sshd's StrictModes. A sticky directory such as /tmp is fine: there, users cannot replace files of others.
 * @param path directory that the caller has checked already
 * @param uid owner of the directory
 * @param option of the program, by which its user names another directory
 * @throws {StoreError} STATE_DIR_PARENT_UNSAFE | STORE_IO
 */
export async function checkParents(path: string, uid: number, option: DirectoryOption = '--home'): Promise<void> {
  const owners = { uid, rootUid: (await inspect('/')).uid, option }
  const rest = namesOf(resolve(path))
  let at = '/'
  for (let links = 0; rest.length > 1;) {
    const name = rest.shift()!
    const next = name === '..' ? dirname(at) : join(at, name)
    const found = await inspect(next)
    checkOwner(next, found, owners)
    if (found.isSymbolicLink()) {
      const target = await readlink(next).catch((cause: unknown) => {
        throw storeErrorOf(cause, 'look at', next)
      })
      if (++links > MAX_LINKS)
        throw new StoreError('STATE_DIR_PARENT_UNSAFE', `${path} leads through too many symbolic links`)
      rest.unshift(...namesOf(target))
      if (isAbsolute(target)) at = '/'
      continue
    }
    checkMode(next, found, owners)
    at = next
  }
}

function namesOf(path: string): string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.')
}

async function inspect(path: string): Promise<Stats> {
  try {
    return await lstat(path)
  } catch (cause) {
    throw storeErrorOf(cause, 'look at', path)
  }
}

function checkOwner(path: string, found: Stats, { uid, rootUid, option }: Owners): void {
  if ([uid, 0, rootUid].includes(found.uid)) return
  const advice = `keep the state below a directory of your own: give another ${option}`
  throw new StoreError(
    'STATE_DIR_PARENT_UNSAFE',
    `${path} belongs to user ${found.uid}, who could replace its content; ${advice}`,
  )
}

function checkMode(path: string, found: Stats, { uid, option }: Owners): void {
  // Many systems give each user a group with the same number, and let it write by default.
  const isOwnGroup = found.gid === uid && uid === process.getgid?.()
  const writers = OTHERS_WRITE | (isOwnGroup ? 0 : GROUP_WRITES)
  if ((found.mode & writers) === 0 || (found.mode & STICKY) !== 0) return
  const mode = (found.mode & 0o7777).toString(8).padStart(4, '0')
  const message = `others may write to ${path} (mode ${mode}) and could replace its content; run "chmod go-w ${path}", or give another ${option}`
  throw new StoreError('STATE_DIR_PARENT_UNSAFE', message)
}

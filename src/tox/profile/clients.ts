/**
 * Finds running Tox clients that have a profile open. They overwrite it at exit, so an edit made in the meantime is
 * lost.
 */
import { readFile, readdir, readlink, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { ToxError } from '../save/errors.ts'
import { MAX_PROFILE_BYTES, decodeSave } from '../save/savefile.ts'
import { directoriesOf, placeOf } from './default-profile.ts'
import { readBoundedFile } from './read-file.ts'
import { lockHolder, thisMachine, type Machine } from './lock-file.ts'

export interface ClientOnProfile {
  /** Its own name, such as `qtox` */
  readonly program: string
  readonly pid: number | null
  /**
   * How we found it: by its lock file, its command line, the profile it opens by default, a file it holds open, or only
   * because it uses libtoxcore and looks for profiles in this directory
   */
  readonly evidence: 'lock' | 'command-line' | 'default-profile' | 'open-file' | 'library'
}

interface KnownClient {
  readonly program: string
  /** The file in $XDG_CONFIG_HOME/tox that it opens when its command line names no file */
  readonly defaultFile?: string
  /** Command-line flags that make it open a file other than the default one */
  readonly otherFile?: RegExp
}

const KNOWN_CLIENTS: readonly KnownClient[] = [
  { program: 'qtox' }, // one lock file per profile
  { program: 'toxic', defaultFile: 'toxic_profile.tox', otherFile: /^(-f|--file)/ },
  { program: 'utox', defaultFile: 'tox_save.tox' },
  { program: 'toxygen' },
]

interface Process {
  readonly pid: number
  readonly args: readonly string[]
}

/** Device and inode. They identify a profile under any name, through links and in a container's mount namespace. */
type FileId = string

/**
 * Finds the running programs that have this profile open. It sees lock files (qTox, toxygen) and the processes of
 * this user. It cannot see processes of other users, processes on other machines without a lock file, or any process
 * without /proc, or a client that we do not know and that has libtoxcore built in. toxic and uTox use no lock file and do
 * not keep the profile open, so we compare their command lines and default profiles.
 * @param path the profile, with symbolic links resolved
 */
export async function clientsOn(path: string, machine: Machine = thisMachine): Promise<ClientOnProfile[]> {
  const locks = lockNames(path)
  const clients: ClientOnProfile[] = []
  for (const lock of locks) {
    const holder = await lockHolder(lock, machine)
    if (holder !== null) clients.push({ ...holder, evidence: 'lock' })
  }
  const profileId = await fileId(path)
  const heldIds = new Set([profileId, ...(await Promise.all(locks.map(fileId)))].filter((id) => id !== null))
  for (const pid of await processIds(machine)) {
    if (clients.some((client) => client.pid === pid)) continue
    const client = await clientOfProcess(machine, pid, path, profileId, heldIds)
    if (client !== null) clients.push(client)
  }
  return clients
}

/** The lock files that a client may keep beside a profile: first qTox's name, then toxygen's. */
export function lockNames(path: string): string[] {
  return [...new Set([`${path.replace(/\.tox$/, '')}.lock`, `${path}.lock`])]
}

/** Describes a client for people: `toxic (process 4242)`. */
export function describeClient({ program, pid }: ClientOnProfile): string {
  return pid === null ? program : `${program} (process ${pid})`
}

async function processIds(machine: Machine): Promise<number[]> {
  const names = await readdir(machine.procDir).catch(() => [])
  return names
    .filter((name) => /^[0-9]+$/.test(name))
    .map(Number)
    .filter((pid) => pid !== process.pid)
}

async function clientOfProcess(
  machine: Machine,
  pid: number,
  path: string,
  profileId: FileId | null,
  heldIds: ReadonlySet<FileId>,
): Promise<ClientOnProfile | null> {
  const args = splitNul(await readFile(join(machine.procDir, String(pid), 'cmdline')).catch(() => null))
  const [executable] = args
  if (executable === undefined) return null
  const known = knownClient(args)
  if (known !== undefined) {
    const running = { pid, args }
    if (await namesFile(machine, running, profileId)) return { program: known.program, pid, evidence: 'command-line' }
    if (await opensByDefault(machine, running, known, path, profileId))
      return { program: known.program, pid, evidence: 'default-profile' }
  }
  const program = known?.program ?? basename(executable)
  if (await holdsOpen(machine, pid, heldIds, known !== undefined)) return { program, pid, evidence: 'open-file' }
  if (known !== undefined || !(await mayHaveOpen(machine, { pid, args }, path))) return null
  return { program, pid, evidence: 'library' }
}

function knownClient(args: readonly string[]): KnownClient | undefined {
  const program = basename(args[0] ?? '').toLowerCase()
  // A script runs under its interpreter's name. Nix names a wrapped program .qtox-wrapped.
  const names = /^python[0-9.]*$/.test(program)
    ? args.slice(1, 3).flatMap((arg) => arg.replace(/\.py$/, '').split('/'))
    : [program.replace(/^\.(.*)-wrapped$/, '$1')]
  return KNOWN_CLIENTS.find((client) => names.includes(client.program))
}

/** `-f FILE`, `-fFILE` and `--file=FILE` all give FILE. */
function valueOf(arg: string): string {
  return arg.startsWith('--') ? arg.slice(arg.indexOf('=') + 1) : arg.replace(/^-[A-Za-z]/, '')
}

/** Whether an argument (`-f FILE`, `-fFILE` or `--file=FILE`) names the profile. */
async function namesFile(machine: Machine, running: Process, profileId: FileId | null): Promise<boolean> {
  const cwd = await readlink(join(machine.procDir, String(running.pid), 'cwd')).catch(() => null)
  if (profileId === null || cwd === null) return false
  for (const arg of running.args.slice(1)) {
    const value = valueOf(arg)
    if (value !== '' && (await fileId(resolve(cwd, value))) === profileId) return true
  }
  return false
}

async function opensByDefault(
  machine: Machine,
  running: Process,
  client: KnownClient,
  path: string,
  profileId: FileId | null,
): Promise<boolean> {
  const { defaultFile, otherFile } = client
  if (defaultFile === undefined || running.args.some((arg) => otherFile?.test(arg))) return false
  const place = await placeOf(machine, running.pid)
  for (const directory of directoriesOf(place)) {
    if (profileId !== null && (await fileId(join(directory, defaultFile))) === profileId) return true
  }
  // uTox in portable mode, or a process whose environment is hidden: only the file name is left to compare.
  const isElsewhere = place.environ === null || running.args.some((arg) => arg === '-p' || arg === '--portable')
  return isElsewhere && basename(path) === defaultFile
}

/**
 * Whether a program that we do not know may have the profile open: it has libtoxcore in its memory, looks for profiles in
 * this directory, and its command line names no other profile. The companion has no files at all.
 */
async function mayHaveOpen(machine: Machine, running: Process, path: string): Promise<boolean> {
  const directory = join(machine.procDir, String(running.pid))
  const maps = await readFile(join(directory, 'maps'), 'utf8').catch(() => '')
  if (!/\/libtoxcore[^/\n]*$/m.test(maps)) return false
  if (running.args.some((arg) => /\/toxnode\/main\.[jt]s$/.test(arg))) return false
  const place = await placeOf(machine, running.pid)
  const wanted = await fileId(dirname(path))
  const ids = await Promise.all(directoriesOf(place).map(fileId))
  if (wanted === null || (place.environ !== null && !ids.includes(wanted))) return false
  for (const value of running.args.slice(1).map(valueOf)) {
    if (value !== '' && (await isProfile(resolve(place.cwd ?? '/', value)))) return false
  }
  return true
}

/** Whether a file begins like a Tox profile. */
async function isProfile(path: string): Promise<boolean> {
  const file = await readBoundedFile(path, MAX_PROFILE_BYTES).catch(() => null)
  if (file === null) return false
  try {
    decodeSave(file.bytes)
    return true
  } catch (error) {
    return error instanceof ToxError && error.code !== 'TOX_NOT_A_PROFILE' && error.code !== 'TOX_EMPTY'
  }
}

/** Any open file descriptor of a client counts. Another program, such as a backup, counts only if it can write. */
async function holdsOpen(
  machine: Machine,
  pid: number,
  heldIds: ReadonlySet<FileId>,
  isClient: boolean,
): Promise<boolean> {
  const directory = join(machine.procDir, String(pid))
  const fds = await readdir(join(directory, 'fd')).catch(() => [])
  const ids = await Promise.all(fds.map((fd) => fileId(join(directory, 'fd', fd))))
  for (const [i, fd] of fds.entries()) {
    if (!heldIds.has(ids[i] ?? '')) continue
    const info = await readFile(join(directory, 'fdinfo', fd), 'utf8').catch(() => '')
    const flags = Number.parseInt(/^flags:\s*([0-7]+)$/m.exec(info)?.[1] ?? '2', 8)
    if (isClient || (flags & 3) !== 0) return true
  }
  return false
}

async function fileId(path: string): Promise<FileId | null> {
  const stats = await stat(path, { bigint: true }).catch(() => null)
  return stats === null ? null : `${stats.dev}:${stats.ino}`
}

function splitNul(bytes: Uint8Array | null): string[] {
  return Buffer.from(bytes ?? [])
    .toString('utf8')
    .split('\0')
    .filter((part) => part !== '')
}

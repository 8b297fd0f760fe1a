/** What `persona doctor` looks at without the daemon: directories, sockets and versions of this machine. The store is never opened. */
import { existsSync, lstatSync, readdirSync, type Stats } from 'node:fs'
import { join } from 'node:path'
import type { Paths } from '../../ipc/paths.ts'
import { notice, ok, problem, type Finding } from '../../ipc/shapes/doctor.ts'

const SECRET_FILES = ['secrets', 'seed'] // docs/threat-model.md: the only files with keys

/** State, configuration and socket directories: whose they are, and who can look into them. */
export function checkPlaces(paths: Paths, isRunning: boolean): Finding[] {
  return [
    ...checkDirectory('STATE_DIR', 'state directory', paths.stateDir, isRunning),
    ...checkStore(paths.stateDir, isRunning),
    ...SECRET_FILES.flatMap((name) => checkSecret(join(paths.stateDir, name))),
    ...checkDirectory('SOCKET_DIR', 'directory of the sockets', paths.runDir, isRunning),
    ...checkDirectory('ADMIN_DIR', "directory of the owner's socket", paths.adminDir, isRunning),
    ...[paths.appSocket, paths.adminSocket].flatMap((socket) => checkSocket(socket, isRunning)),
    ...checkConfig(paths.configFile),
  ]
}

function checkDirectory(code: string, what: string, path: string, isRunning: boolean): Finding[] {
  const stats = statsOf(path)
  if (stats === null) {
    if (isRunning) return [problem(`${code}_MISSING`, `the ${what} ${path} is gone`, 'restart the daemon')]
    return [notice(`${code}_MISSING`, `there is no ${what} ${path} yet`, 'the daemon makes it when it starts')]
  }
  if (!stats.isDirectory()) {
    return [problem(`${code}_INVALID`, `${path} is no directory, or a link`, 'move it away, or give another --home')]
  }
  return checkGuarded(code, `the ${what} ${path}`, path, stats, '700')
}

/** A store that does not open is named by the daemon, which sends its reader here for what to do. */
function checkStore(stateDir: string, isRunning: boolean): Finding[] {
  const path = join(stateDir, 'store')
  if (isRunning || statsOf(path) === null) return []
  const message = `the store ${path} is read only by a daemon that starts, and its log names a file that is damaged or missing`
  const hint =
    `if it does not start for that: keep a copy of ${stateDir} and move it away, start the daemon, then persona restore BACKUP, or persona recover ` +
    'from the recovery words'
  return [notice('STORE_UNREAD', message, hint)]
}

function checkSecret(path: string): Finding[] {
  const stats = statsOf(path)
  return stats === null ? [] : checkGuarded('SECRETS', path, path, stats, '600')
}

function checkGuarded(code: string, what: string, path: string, stats: Stats, wanted: string): Finding[] {
  if (stats.uid !== process.geteuid?.())
    return [problem(`${code}_FOREIGN`, `${what} belongs to user ${stats.uid}`, 'run this as its owner')]
  if ((stats.mode & 0o077) === 0) return [ok(code, `${what} is yours alone`)]
  const mode = (stats.mode & 0o777).toString(8).padStart(4, '0')
  const hint = `chmod ${wanted} ${path}, and see whether something in it was changed or read`
  return [problem(`${code}_OPEN`, `${what} is open to others (mode ${mode})`, hint)]
}

function checkSocket(path: string, isRunning: boolean): Finding[] {
  const stats = statsOf(path)
  if (isRunning && stats === null)
    return [problem('SOCKET_MISSING', `the socket ${path} is gone`, 'restart the daemon')]
  if (stats === null || isRunning) return []
  if (!stats.isSocket()) return [problem('SOCKET_INVALID', `${path} is no socket`, 'move it away')]
  return [notice('SOCKET_LEFT', `${path} was left by a daemon that was killed`, 'the next start removes it')]
}

function checkConfig(path: string): Finding[] {
  const stats = statsOf(path)
  if (stats === null) return [ok('CONFIG', `there is no configuration ${path}: the defaults hold`)]
  if (stats.isFile() && (stats.mode & 0o022) !== 0) {
    const message = `everybody, or your group, can write the configuration ${path}`
    return [problem('CONFIG_OPEN', message, `chmod go-w ${path}`)]
  }
  return [ok('CONFIG', `the configuration is ${path}`)]
}

const TRIPLETS: Readonly<Partial<Record<string, string>>> = {
  x64: 'x86_64-linux-gnu',
  arm64: 'aarch64-linux-gnu',
  arm: 'arm-linux-gnueabihf',
}
const LIBRARY = /^libtoxcore\.so\.[\d.]+$/

/** Node and libtoxcore. */
export function checkVersions(): Finding[] {
  const triplet = TRIPLETS[process.arch]
  const places = ['/usr/local/lib', ...(triplet === undefined ? [] : [`/usr/lib/${triplet}`]), '/usr/lib64', '/usr/lib']
  const found = places.flatMap((place) =>
    existsSync(place) ? readdirSync(place).flatMap((name) => (LIBRARY.test(name) ? [join(place, name)] : [])) : [],
  )
  // libtoxcore.so.2 is a link to the file that has the whole version in its name.
  const library = found.toSorted((a, b) => b.length - a.length)[0]
  return [
    ok('NODE', `Node.js ${process.versions.node}`),
    library === undefined
      ? ok('LIBTOXCORE', 'libtoxcore is not installed; profiles are read and written without it')
      : ok('LIBTOXCORE', `libtoxcore is ${library}`),
  ]
}

function statsOf(path: string): Stats | null {
  try {
    return lstatSync(path)
  } catch {
    // Not there, or in a directory that may not be looked into, which is told of that one.
    return null
  }
}

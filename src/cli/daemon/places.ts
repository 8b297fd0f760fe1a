/** The checks of `persona doctor` that need no daemon: directories, sockets and versions. They never open the store. */
import { existsSync, lstatSync, readdirSync, type Stats } from 'node:fs'
import { join } from 'node:path'
import type { Paths } from '../../ipc/paths.ts'
import { notice, ok, problem, type Finding } from '../../ipc/shapes/doctor.ts'

const SECRET_FILES = ['secrets', 'seed'] // docs/threat-model.md: the only files with keys

/** Checks owner and mode of the state, configuration and socket directories. */
export function checkPlaces(paths: Paths, isRunning: boolean): Finding[] {
  return [
    ...checkDirectory('STATE_DIR', 'state directory', paths.stateDir, isRunning),
    ...SECRET_FILES.flatMap((name) => checkSecret(join(paths.stateDir, name))),
    ...checkDirectory('SOCKET_DIR', 'socket directory', paths.runDir, isRunning),
    ...checkDirectory('ADMIN_DIR', "owner's socket directory", paths.adminDir, isRunning),
    ...[paths.appSocket, paths.adminSocket].flatMap((socket) => checkSocket(socket, isRunning)),
    ...checkConfig(paths.configFile),
  ]
}

function checkDirectory(code: string, what: string, path: string, isRunning: boolean): Finding[] {
  const stats = statsOf(path)
  if (stats === null) {
    if (isRunning) return [problem(`${code}_MISSING`, `the ${what} ${path} is missing`, 'restart the daemon')]
    return [notice(`${code}_MISSING`, `the ${what} ${path} does not exist yet`, 'the daemon creates it when it starts')]
  }
  if (!stats.isDirectory()) {
    return [
      problem(`${code}_INVALID`, `${path} is a link, or not a directory`, 'move it away, or choose another --home'),
    ]
  }
  return checkGuarded(code, `the ${what} ${path}`, path, stats, '700')
}

function checkSecret(path: string): Finding[] {
  const stats = statsOf(path)
  return stats === null ? [] : checkGuarded('SECRETS', path, path, stats, '600')
}

function checkGuarded(code: string, what: string, path: string, stats: Stats, wanted: string): Finding[] {
  if (stats.uid !== process.geteuid?.())
    return [problem(`${code}_FOREIGN`, `${what} belongs to user ${stats.uid}`, 'run persona as that user')]
  if ((stats.mode & 0o077) === 0) return [ok(code, `${what} is private`)]
  const mode = (stats.mode & 0o777).toString(8).padStart(4, '0')
  const hint = `run: chmod ${wanted} ${path}; then check whether somebody changed or read anything in it`
  return [problem(`${code}_OPEN`, `other users can open ${what} (mode ${mode})`, hint)]
}

function checkSocket(path: string, isRunning: boolean): Finding[] {
  const stats = statsOf(path)
  if (isRunning && stats === null)
    return [problem('SOCKET_MISSING', `the socket ${path} is missing`, 'restart the daemon')]
  if (stats === null || isRunning) return []
  if (!stats.isSocket()) return [problem('SOCKET_INVALID', `${path} is not a socket`, 'move it away')]
  return [notice('SOCKET_LEFT', `a killed daemon left the socket ${path}`, 'the next start removes it')]
}

function checkConfig(path: string): Finding[] {
  const stats = statsOf(path)
  if (stats === null) return [ok('CONFIG', `there is no configuration ${path}, so the defaults apply`)]
  if (stats.isFile() && (stats.mode & 0o022) !== 0) {
    const message = `other users can write the configuration ${path}`
    return [problem('CONFIG_OPEN', message, `run: chmod go-w ${path}`)]
  }
  return [ok('CONFIG', `the configuration is ${path}`)]
}

const TRIPLETS: Readonly<Partial<Record<string, string>>> = {
  x64: 'x86_64-linux-gnu',
  arm64: 'aarch64-linux-gnu',
  arm: 'arm-linux-gnueabihf',
}
const LIBRARY = /^libtoxcore\.so\.[\d.]+$/

/** Reports the versions of Node.js and libtoxcore. */
export function checkVersions(): Finding[] {
  const triplet = TRIPLETS[process.arch]
  const places = ['/usr/local/lib', ...(triplet === undefined ? [] : [`/usr/lib/${triplet}`]), '/usr/lib64', '/usr/lib']
  const found = places.flatMap((place) =>
    existsSync(place) ? readdirSync(place).flatMap((name) => (LIBRARY.test(name) ? [join(place, name)] : [])) : [],
  )
  // libtoxcore.so.2 is a link to the file with the full version in its name.
  const library = found.toSorted((a, b) => b.length - a.length)[0]
  return [
    ok('NODE', `Node.js ${process.versions.node}`),
    library === undefined
      ? ok('LIBTOXCORE', 'libtoxcore is not installed; only the companion needs it')
      : ok('LIBTOXCORE', `libtoxcore is ${library}`),
  ]
}

function statsOf(path: string): Stats | null {
  try {
    return lstatSync(path)
  } catch {
    // Missing, or in a directory that cannot be read; the check of that directory reports it.
    return null
  }
}

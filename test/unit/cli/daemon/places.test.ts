import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { checkPlaces, checkVersions } from '../../../../src/cli/daemon/places.ts'
import { resolvePaths, type Paths } from '../../../../src/ipc/paths.ts'
import { tempDir } from '../../../support/temp-dir.ts'

let paths: Paths

beforeEach(() => {
  paths = resolvePaths({ home: tempDir(), env: {} })
  for (const directory of [paths.stateDir, paths.runDir, paths.adminDir]) {
    mkdirSync(directory, { recursive: true })
    chmodSync(directory, 0o700)
  }
  writeFileSync(join(paths.stateDir, 'secrets'), '', { mode: 0o600 })
})

function bad(isRunning = false): string[] {
  return checkPlaces(paths, isRunning).flatMap(({ code, severity }) =>
    severity === 'ok' ? [] : [`${severity} ${code}`],
  )
}

test('private directories are ok, and so are missing sockets while no daemon runs', () => {
  expect(bad()).toEqual([])
  expect(checkPlaces(paths, false).map(({ code }) => code)).toEqual([
    'STATE_DIR',
    'SECRETS',
    'SOCKET_DIR',
    'ADMIN_DIR',
    'CONFIG',
  ])
})

test.each([
  ['stateDir', 0o750, 'problem STATE_DIR_OPEN'],
  ['runDir', 0o711, 'problem SOCKET_DIR_OPEN'],
  ['adminDir', 0o777, 'problem ADMIN_DIR_OPEN'],
] as const)('a %s of mode %o is accessible to other users', (which, mode, finding) => {
  chmodSync(paths[which], mode)
  expect(bad()).toEqual([finding])
})

test.each(['secrets', 'seed'])('a file %s that others can read is a problem', (name) => {
  writeFileSync(join(paths.stateDir, name), '')
  chmodSync(join(paths.stateDir, name), 0o640)
  expect(bad()).toEqual(['problem SECRETS_OPEN'])
})

test('a link in place of a directory is a problem', () => {
  const elsewhere = resolvePaths({ home: tempDir(), env: {} })
  mkdirSync(dirname(elsewhere.stateDir), { recursive: true })
  symlinkSync(paths.stateDir, elsewhere.stateDir)
  paths = elsewhere
  expect(bad()).toContain('problem STATE_DIR_INVALID')
})

test('a missing directory is a notice, and a problem while the daemon runs', () => {
  paths = resolvePaths({ home: tempDir(), env: {} })
  const directories = ['STATE_DIR_MISSING', 'SOCKET_DIR_MISSING', 'ADMIN_DIR_MISSING']
  expect(bad()).toEqual(directories.map((code) => `notice ${code}`))
  const sockets = ['problem SOCKET_MISSING', 'problem SOCKET_MISSING']
  expect(bad(true)).toEqual([...directories.map((code) => `problem ${code}`), ...sockets])
})

test('a socket left by a killed daemon is a notice, and a file in its place is a problem', async () => {
  const server = createServer().listen(paths.appSocket)
  onTestFinished(() => void server.close())
  await new Promise((done) => server.once('listening', done))
  writeFileSync(paths.adminSocket, '')
  expect(bad()).toEqual(['notice SOCKET_LEFT', 'problem SOCKET_INVALID'])
})

test('a configuration that others can write is a problem', () => {
  mkdirSync(dirname(paths.configFile))
  writeFileSync(paths.configFile, '')
  chmodSync(paths.configFile, 0o664)
  expect(bad()).toEqual(['problem CONFIG_OPEN'])
})

test('the report names the versions', () => {
  expect(checkVersions().map(({ code, severity }) => `${severity} ${code}`)).toEqual(['ok NODE', 'ok LIBTOXCORE'])
})

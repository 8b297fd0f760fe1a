import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer, type Server } from 'node:net'
import { dirname, join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { IpcError } from '../../../src/ipc/wire/errors.ts'
import { checkSocketDirectory } from '../../../src/ipc/socket-file.ts'
import { openClient, startServer, temporaryDirectory } from '../../support/ipc.ts'

function listen(path: string): Promise<Server> {
  return new Promise((resolve) => {
    const server = createServer()
    onTestFinished(() => void server.close())
    server.listen(path, () => resolve(server))
  })
}

/** Leaves a socket file as a killed process does. */
async function makeStaleSocket(path: string): Promise<void> {
  const server = await listen(`${path}.live`)
  renameSync(`${path}.live`, path)
  await new Promise((resolve) => server.close(resolve))
  const { ctimeNs } = lstatSync(path, { bigint: true })
  // The file system's clock has steps of some ms, and no real stale file is younger than one step.
  do writeFileSync(`${path}.clock`, '')
  while (lstatSync(`${path}.clock`, { bigint: true }).ctimeNs <= ctimeNs)
  unlinkSync(`${path}.clock`)
}

/** All watches of a directory get its events together: when this later watch has reported, the earlier ones have too. */
async function losingAnother(socketPath: string): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<IpcError>()
  await startServer({ socketPath, onLost: resolve })
  unlinkSync(socketPath)
  await promise
}

/** A path of exactly so many bytes. */
function pathOfBytes(bytes: number): string {
  const directory = temporaryDirectory()
  return join(directory, 's'.repeat(bytes - directory.length - 1))
}

describe('a path', () => {
  test('of 107 bytes works', async () => {
    const server = await startServer({ socketPath: pathOfBytes(107) })
    const client = await openClient(server)
    expect(await client.call('echo', { text: 'hi' })).toEqual({ text: 'hi' })
  })

  test('of 108 bytes is refused before anything is created', async () => {
    const socketPath = join(dirname(pathOfBytes(107)), 'd', 's'.repeat(200))
    await expect(startServer({ socketPath })).rejects.toMatchObject({ code: 'SOCKET_PATH_TOO_LONG' })
    expect(existsSync(dirname(socketPath))).toBe(false)
    await expect(startServer({ socketPath: pathOfBytes(108) })).rejects.toMatchObject({ code: 'SOCKET_PATH_TOO_LONG' })
  })

  test('with a file that is not a socket is left alone', async () => {
    const socketPath = join(temporaryDirectory(), 'app.sock')
    writeFileSync(socketPath, 'letters')
    await expect(startServer({ socketPath })).rejects.toMatchObject({ code: 'SOCKET_PATH_TAKEN' })
    expect(readFileSync(socketPath, 'utf8')).toBe('letters')
    unlinkSync(socketPath)
    symlinkSync(join(temporaryDirectory(), 'elsewhere'), socketPath)
    await expect(startServer({ socketPath })).rejects.toMatchObject({ code: 'SOCKET_PATH_TAKEN' })
  })
})

describe('the directory', () => {
  test('is created with its parents, only for its owner, and so is the socket', async () => {
    const socketPath = join(temporaryDirectory(), 'personad', 'admin', 'admin.sock')
    await startServer({ socketPath })
    expect(lstatSync(dirname(socketPath)).mode & 0o777).toBe(0o700)
    expect(lstatSync(dirname(dirname(socketPath))).mode & 0o777).toBe(0o700)
    expect(lstatSync(socketPath).mode & 0o777).toBe(0o600)
    expect(readdirSync(dirname(socketPath))).toEqual(['admin.sock'])
  })

  test.each([0o755, 0o710, 0o701, 0o770])(
    'that other users can access (%o) is refused and not changed',
    async (mode) => {
      const directory = join(temporaryDirectory(), 'run')
      mkdirSync(directory)
      chmodSync(directory, mode)
      await expect(startServer({ socketPath: join(directory, 'app.sock') })).rejects.toMatchObject({
        code: 'SOCKET_DIR_OPEN',
      })
      expect(lstatSync(directory).mode & 0o777).toBe(mode)
      expect(readdirSync(directory)).toEqual([])
    },
  )

  test('behind a symbolic link is refused', async () => {
    const link = join(temporaryDirectory(), 'run')
    symlinkSync(temporaryDirectory(), link)
    await expect(startServer({ socketPath: join(link, 'app.sock') })).rejects.toMatchObject({
      code: 'SOCKET_DIR_INVALID',
    })
  })

  test('of another user is refused', () => {
    const uid = lstatSync('/').uid
    const original = process.geteuid
    process.geteuid = () => uid + 1
    onTestFinished(() => void (process.geteuid = original!))
    expect(() => checkSocketDirectory('/')).toThrow(expect.objectContaining({ code: 'SOCKET_DIR_FOREIGN' }))
  })

  test('that cannot be created is named in the error', async () => {
    const file = join(temporaryDirectory(), 'file')
    writeFileSync(file, '')
    await expect(startServer({ socketPath: join(file, 'run', 'app.sock') })).rejects.toMatchObject({
      code: 'SOCKET_FAILED',
    })
  })
})

describe('another server', () => {
  test('that is gone left a file, and the new server replaces it', async () => {
    const socketPath = join(temporaryDirectory(), 'app.sock')
    await makeStaleSocket(socketPath)
    const client = await openClient(await startServer({ socketPath }))
    expect(await client.call('echo', { text: 'hi' })).toEqual({ text: 'hi' })
  })

  test('that was killed while it claimed its name left two files, and the new server removes both', async () => {
    const socketPath = join(temporaryDirectory(), 'app.sock')
    await makeStaleSocket(socketPath)
    await makeStaleSocket(`${socketPath.slice(0, -1)}~`)
    await startServer({ socketPath })
    expect(readdirSync(dirname(socketPath))).toEqual(['app.sock'])
  })

  test('that answers keeps its socket and does not notice', async () => {
    const first = await startServer()
    await expect(startServer({ socketPath: first.socketPath })).rejects.toMatchObject({ code: 'SOCKET_IN_USE' })
    const client = await openClient(first)
    expect(await client.call('echo', { text: 'still here' })).toEqual({ text: 'still here' })
  })

  test('that starts at the same time fails and does no harm', async () => {
    const socketPath = join(temporaryDirectory(), 'app.sock')
    await makeStaleSocket(socketPath)
    const starts = await Promise.allSettled(Array.from({ length: 5 }, () => startServer({ socketPath })))
    const [winner, second] = starts.flatMap((start) => (start.status === 'fulfilled' ? [start.value] : []))
    expect(second).toBe(undefined)
    for (const start of starts) {
      if (start.status === 'rejected') expect(start.reason).toMatchObject({ code: 'SOCKET_IN_USE' })
    }
    const client = await openClient(winner!)
    expect(await client.call('echo', { text: 'hi' })).toEqual({ text: 'hi' })
  })

  test('can start after the first has closed', async () => {
    const first = await startServer()
    await first.close()
    expect(existsSync(first.socketPath)).toBe(false)
    await openClient(await startServer({ socketPath: first.socketPath }))
  })
})

describe('a socket file that was', () => {
  test.each([
    { what: 'removed', act: (path: string) => unlinkSync(path) },
    { what: 'replaced', act: (path: string) => (writeFileSync(`${path}.new`, ''), renameSync(`${path}.new`, path)) },
    { what: 'renamed', act: (path: string) => renameSync(path, `${path}.old`) },
    { what: 'removed with its directory', act: (path: string) => rmSync(dirname(path), { recursive: true }) },
  ])('$what is noticed', async ({ act }) => {
    const { promise, resolve } = Promise.withResolvers<IpcError>()
    const socketPath = join(temporaryDirectory(), 'run', 'app.sock')
    await startServer({ socketPath, onLost: resolve })
    act(socketPath)
    expect((await promise).code).toBe('SOCKET_LOST')
  })

  test('replaced by another server is not removed at close', async () => {
    const first = await startServer()
    unlinkSync(first.socketPath)
    const second = await startServer({ socketPath: first.socketPath })
    await first.close()
    const client = await openClient(second)
    expect(await client.call('echo', { text: 'mine' })).toEqual({ text: 'mine' })
  })

  test('not touched causes no alarm, whatever else happens in its directory', async () => {
    const lost: IpcError[] = []
    const server = await startServer({ onLost: (error) => lost.push(error) })
    writeFileSync(`${server.socketPath}.other`, '')
    unlinkSync(`${server.socketPath}.other`)
    await losingAnother(`${server.socketPath}2`)
    expect(lost).toEqual([])
    await server.close()
    await losingAnother(`${server.socketPath}3`)
    expect(lost).toEqual([])
  })
})

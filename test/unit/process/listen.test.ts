import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { isActivated, listen } from '../../../src/process/listen.ts'
import { Session } from '../../../src/netnode/session.ts'
import { connectNet } from '../../../src/daemon/net/program.ts'
import { HandClock } from '../../support/hand-clock.ts'
import { NetStory } from '../../support/net-program.ts'
import { tempDir } from '../../support/temp-dir.ts'
import { udpNodes } from '../../support/udp-nodes.ts'

/** personad-net's side of the socket, in this process. */
const same = (host: string): Promise<string[]> => Promise.resolve([host])

class Unit {
  readonly path: string = join(tempDir(), 'net.sock')
  readonly clock = new HandClock()
  idle = 0

  async listen(): Promise<this> {
    const server = listen(
      { path: this.path },
      {
        clock: this.clock,
        serve: (socket) => new Session(socket, { ipv4: same, all: same }).serve(socket),
        onIdle: () => void this.idle++,
      },
    )
    onTestFinished(() => void server.close())
    await once(server, 'listening')
    return this
  }

  async connect(): Promise<Socket> {
    const socket = connect({ path: this.path })
    onTestFinished(() => void socket.destroy())
    await once(socket, 'connect')
    return socket
  }
}

describe('the socket of the unit', () => {
  test('serves a daemon as the pipes of a child do', async () => {
    const unit = await new Unit().listen()
    const [node] = await udpNodes(1)
    const story = await new NetStory({ bootstrap: [node!] }, { how: 'unit', open: () => connectNet(unit.path) }).run()
    const report = await story.net.get({ publicKey: new Uint8Array(32), salt: new Uint8Array() })
    expect(report.nodesAnswered).toBe(1)
    expect(story.net.status()).toMatchObject({ state: 'running', how: 'unit', problem: null })
    await story.net.stop()
    await unit.clock.waited(10_000)
  })

  test('that nobody listens at is reported as a missing unit', async () => {
    const path = join(tempDir(), 'net.sock')
    const story = new NetStory({}, { how: 'unit', open: () => connectNet(path) })
    story.net.start()
    await story.until(() => story.net.status().state === 'waiting')
    expect(story.net.status().problem).toMatchObject({ code: 'NET_UNIT_MISSING' })
    expect(story.net.status().problem?.message).toContain(path)
  })

  test('lets the program end when nobody was connected for ten seconds', async () => {
    const unit = await new Unit().listen()
    unit.clock.turn(9_999)
    const socket = await unit.connect()
    await once(socket, 'data')
    unit.clock.turn(60_000)
    expect(unit.idle).toBe(0)
    socket.end()
    await unit.clock.waited(10_000)
    unit.clock.turn(10_000)
    expect(unit.idle).toBe(1)
  })

  test('takes four connections, and closes the fifth at once', async () => {
    const unit = await new Unit().listen()
    for (let i = 0; i < 4; i++) await once(await unit.connect(), 'data')
    const fifth = await unit.connect()
    fifth.resume()
    await once(fifth, 'close')
    expect(fifth.bytesRead).toBe(0)
  })
})

test('a program is activated only by exactly one socket that is meant for it', () => {
  expect(isActivated({ LISTEN_PID: '7', LISTEN_FDS: '1' }, 7)).toBe(true)
  expect(isActivated({ LISTEN_PID: '8', LISTEN_FDS: '1' }, 7)).toBe(false)
  expect(isActivated({ LISTEN_PID: '7', LISTEN_FDS: '2' }, 7)).toBe(false)
  expect(isActivated({}, 7)).toBe(false)
})

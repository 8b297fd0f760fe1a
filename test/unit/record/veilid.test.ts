/** Records on Veilid: what a client of veilid-server may trip over (test/support/veilid is the server). */
import { createServer, type Socket } from 'node:net'
import { once } from 'node:events'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { encodeUtf8, formatBase64url } from '../../../src/core/encoding/bytes.ts'
import type { SlotRecord } from '../../../src/record/record-engine.ts'
import { RecordError } from '../../../src/record/errors.ts'
import { defaultVeilidPlaces, dialVeilid } from '../../../src/record/veilid/dial.ts'
import { parseVeilidAddress } from '../../../src/record/veilid/veilid-address.ts'
import { codeOf } from '../../support/code-of.ts'
import { engine, seedOf } from '../../support/person.ts'
import { meetAndTalk } from '../../support/record-story.ts'
import { tempDir } from '../../support/temp-dir.ts'
import { veilidProgram, VeilidWorld } from '../../support/veilid-world.ts'
import { VeilidNetwork } from '../../support/veilid/network.ts'
import { VeilidServer } from '../../support/veilid/server.ts'

const text = (words: string): Uint8Array => encodeUtf8(words)
const POLL = { firstMs: 50, maxMs: 50 }

function startWorld(): VeilidWorld {
  const world = new VeilidWorld()
  onTestFinished(async () => await world.close())
  return world
}

/** A server that answers each line with this text. */
async function serverThatSays(answer: (line: string) => string): Promise<string> {
  const path = join(tempDir(), 'socket')
  const sockets: Socket[] = []
  const server = createServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => {})
    socket.on('data', (data) => socket.write(answer(data.toString())))
  }).listen(path)
  await once(server, 'listening')
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return path
}

describe('a client of veilid-server', () => {
  it('matches answers that come late and in another order', async () => {
    const world = startWorld()
    const { server, program } = await world.startNode()
    const record = await program().create(8, seedOf('late'))
    const reader = program()
    const open = async (): Promise<SlotRecord> => await reader.open(record.address, { writerSeed: null })
    const records = [await open(), await open(), await open(), await open()]
    for (const slot of [0, 1, 2, 3]) await record.set(slot, text(`value ${slot}`))
    const order: number[] = []
    const release: (() => void)[] = []
    server.manners.beforeAnswer = async (op) => {
      if (op === 'GetDhtValue') await new Promise<void>((resolve) => release.push(resolve))
    }
    const gets = records.map(async (each, slot) => {
      const value = await each.get(slot)
      order.push(slot)
      return value!.bytes
    })
    while (release.length < 4) await new Promise<void>((resolve) => setImmediate(resolve))
    for (const go of release.toReversed()) {
      go()
      await new Promise<void>((resolve) => setImmediate(resolve))
    }
    expect(await Promise.all(gets)).toEqual([0, 1, 2, 3].map((slot) => text(`value ${slot}`)))
    expect(order).toEqual([3, 2, 1, 0])
  })

  it('opens its records again after the node restarted, and after somebody else closed them', async () => {
    const world = startWorld()
    const [mine, theirs] = [await world.startNode(), await world.startNode()]
    const record = await mine.program().create(4, seedOf('restart'))
    await record.set(0, text('before'))
    const read = await theirs.program().open(record.address, { writerSeed: null })
    expect((await read.get(0))!.bytes).toEqual(text('before'))
    await theirs.server.restart()
    await mine.server.restart()
    expect((await read.get(0))!.bytes).toEqual(text('before'))
    await record.set(0, text('after'))
    const other = await theirs.program().open(record.address, { writerSeed: null })
    await other.close()
    expect((await read.get(0))!.bytes).toEqual(text('after'))
  })

  it('says that the server is away while it is, and begins anew afterwards', async () => {
    const world = startWorld()
    const { server, program } = await world.startNode()
    const record = await program().create(4, seedOf('away'))
    await record.set(0, text('before'))
    await server.stop()
    expect(await codeOf(record.get(0))).toBe('RECORD_AWAY')
    await server.start()
    expect((await record.get(0))!.bytes).toEqual(text('before'))
  })

  it('is woken by a watch that outlives a restart of the node', async () => {
    const world = startWorld()
    const [mine, theirs] = [await world.startNode(), await world.startNode()]
    const record = await mine.program().create(4, seedOf('watch'))
    await record.set(0, text('before'))
    const never = { firstMs: 3_600_000, maxMs: 3_600_000 }
    const read = await theirs.program(never).open(record.address, { writerSeed: null })
    const stop = new AbortController()
    onTestFinished(() => stop.abort())
    let wake: (slot: number) => void = () => {}
    const wait = async (): Promise<number> => await new Promise<number>((resolve) => (wake = resolve))
    read.watch([0, 1], (slot) => wake(slot), stop.signal)
    await read.get(0)
    const first = wait()
    await record.set(1, text('news'))
    expect([0, 1]).toContain(await first)
    await theirs.server.restart()
    await read.get(1)
    const second = wait()
    await record.set(1, text('more news'))
    expect(await second).toBe(1)
  })

  it('wakes readers at the node of the writer too, though the node tells them nothing', async () => {
    const world = startWorld()
    const { program } = await world.startNode()
    const record = await program().create(4, seedOf('same node'))
    await record.set(0, text('before'))
    const read = await program().open(record.address, { writerSeed: null })
    const stop = new AbortController()
    onTestFinished(() => stop.abort())
    const news = new Promise<number>((resolve) => read.watch([2], resolve, stop.signal))
    await record.set(2, text('news'))
    expect(await news).toBe(2)
  })

  it('never gives the key that signs values to the server', async () => {
    const world = startWorld()
    const { server, program } = await world.startNode()
    const seed = seedOf('secret')
    const record = await program().create(4, seed)
    await record.set(0, text('value'))
    const { opaque } = parseVeilidAddress(record.address)
    const atNode = server.node.local.get(opaque)!
    expect(atNode.owner).not.toBe(formatBase64url(engine.signKeyPair(seed).publicKey))
    // Whoever has the node, and so the key of the record's owner, still forges nothing.
    const value = atNode.values.get(0)!
    world.network.records.get(opaque)!.values.set(0, { ...value, seq: value.seq + 1, data: text('x'.repeat(200)) })
    expect(await codeOf(record.get(0))).toBe('RECORD_FORGED')
  })

  it('refuses a server whose version is older than 0.5, in words that name it', async () => {
    const world = startWorld()
    const { server, program } = await world.startNode()
    for (const minor of [2, 3, 4]) {
      server.manners.version = { major: 0, minor, patch: 7 }
      const refused = await program()
        .create(4, seedOf('old'))
        .catch((error: unknown) => error)
      expect(refused).toMatchObject({ code: 'RECORD_OLD_SERVER', passes: false })
      expect((refused as Error).message).toContain(`0.${minor}.7`)
    }
    server.manners.version = { major: 0, minor: 5, patch: 0 }
    expect(await codeOf(program().create(4, seedOf('old')))).toBe('done')
  })

  it('refuses a server that speaks something else', async () => {
    const ids = (line: string): number => (JSON.parse(line) as { readonly id: number }).id
    const cases: readonly (readonly [string, (line: string) => string])[] = [
      ['RECORD_AWAY', () => 'HTTP/1.1 400 Bad Request\r\n\r\n'],
      ['RECORD_AWAY', () => 'x'.repeat(300_000)],
      ['RECORD_AWAY', () => `{"type":"Update","kind":"${'x'.repeat(300_000)}"}\n`],
      ['RECORD_STRANGE', (line) => `{"type":"Response","id":${ids(line)},"op":"VeilidVersion","major":"0"}\n`],
    ]
    for (const [code, answer] of cases) {
      const path = await serverThatSays(answer)
      const program = veilidProgram({ paths: [path], tcp: null }, POLL)
      expect(await codeOf(program.create(4, seedOf('strange')))).toBe(code)
      await program.close()
    }
    expect(cases.length).toBe(4)
  })
})

describe('two ends over records on Veilid', () => {
  it('meet and talk, each at a node of its own, and both at one node', async () => {
    const world = startWorld()
    const [one, two] = [await world.startNode(), await world.startNode()]
    await meetAndTalk(one.program(), two.program())
    await meetAndTalk(one.program(), one.program())
  })
})

function errorOf(run: () => unknown): RecordError {
  try {
    run()
  } catch (error) {
    if (error instanceof RecordError) return error
  }
  return expect.unreachable()
}

describe('the places of veilid-server', () => {
  it('are its unix sockets first, and then a port', async () => {
    const places = defaultVeilidPlaces({}, '/home/ada')
    expect(places.paths).toEqual(['/var/db/veilid-server/ipc/0', '/home/ada/.local/share/veilid/ipc/0'])
    expect(places.tcp).toEqual({ host: 'localhost', port: 5959 })
    const named = { VEILID_SERVER_IPC: '/run/v', VEILID_SERVER_NETWORK: 'node.example:6000' }
    expect(defaultVeilidPlaces(named, '/')).toEqual({ paths: ['/run/v'], tcp: { host: 'node.example', port: 6000 } })
    const path = join(tempDir(), 'socket')
    const failed = await dialVeilid({ paths: [path], tcp: null }).catch((error: unknown) => error)
    expect(failed).toMatchObject({ code: 'RECORD_AWAY' })
    expect((failed as Error).message).toContain(path)
  })

  it.each<[string, unknown]>([
    ['node.example', { host: 'node.example', port: 5959 }],
    ['[::1]:6000', { host: '::1', port: 6000 }],
    ['127.0.0.1:65535', { host: '127.0.0.1', port: 65_535 }],
  ])('VEILID_SERVER_NETWORK may be %s', (named, tcp) => {
    expect(defaultVeilidPlaces({ VEILID_SERVER_NETWORK: named }, '/').tcp).toEqual(tcp)
  })

  it.each(['localhost:65536', 'localhost:0', 'localhost:x', ':5959', '', '::1', 'a b'])(
    'VEILID_SERVER_NETWORK may not be "%s", and the refusal says how it goes',
    (named) => {
      const failed = errorOf(() => defaultVeilidPlaces({ VEILID_SERVER_NETWORK: named }, '/'))
      expect(failed).toMatchObject({ code: 'RECORD_AWAY', hint: expect.stringContaining('localhost:5959') as string })
      expect(failed.message).toContain(`"${named}"`)
    },
  )

  it('are passed by where nobody listens, and a port will do', async () => {
    const server = new VeilidServer(new VeilidNetwork(), 0)
    await server.start()
    onTestFinished(async () => await server.stop())
    const places = { paths: [join(tempDir(), 'none')], tcp: { host: 'localhost', port: server.port } }
    const program = veilidProgram(places, POLL)
    onTestFinished(async () => await program.close())
    const record = await program.create(4, seedOf('port'))
    expect((await record.set(0, text('value'))).seq).toBe(0n)
  })
})

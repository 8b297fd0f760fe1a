/** The stand-in for veilid-server: what a client of the real one may trip over is there, too. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { VeilidWorld } from '../../support/veilid-world.ts'

type Fields = Readonly<Record<string, unknown>>
const VALUE = 'dmFsdWU'
const OTHER = 'b3RoZXI'

/** A client that sends lines as they are. */
class RawClient {
  readonly socket: Socket
  readonly updates: Fields[] = []
  readonly #lines: AsyncIterator<string>
  #lastId = 0

  private constructor(socket: Socket) {
    this.socket = socket
    this.#lines = createInterface({ input: socket })[Symbol.asyncIterator]()
  }

  static async at(path: string): Promise<RawClient> {
    const socket = connect(path)
    await once(socket, 'connect')
    onTestFinished(() => void socket.destroy())
    return new RawClient(socket)
  }

  async line(): Promise<Fields | null> {
    const line = await this.#lines.next()
    return line.done === true ? null : (JSON.parse(line.value) as Fields)
  }

  /** Sends a request, and waits for its answer. Updates before it are kept. */
  async call(request: Fields): Promise<Fields> {
    const id = ++this.#lastId
    this.socket.write(`${JSON.stringify({ id, ...request })}\n`)
    for (;;) {
      const line = await this.line()
      if (line === null) throw new Error('the connection ended')
      if (line['type'] !== 'Update') return line
      this.updates.push(line)
    }
  }

  async routing(op: string, parameters: Fields = {}): Promise<Fields> {
    return await this.call({ op: 'RoutingContext', rc_id: 1, rc_op: op, ...parameters })
  }

  async value(op: string, parameters: Fields = {}): Promise<unknown> {
    return (await this.routing(op, parameters))['value']
  }
}

async function startNode(world: VeilidWorld, clients = 1): Promise<RawClient[]> {
  const { path } = await world.startNode()
  return await Promise.all(
    Array.from({ length: clients }, async () => {
      const client = await RawClient.at(path)
      await client.call({ op: 'NewRoutingContext' })
      return client
    }),
  )
}

function newWorld(): VeilidWorld {
  const world = new VeilidWorld()
  onTestFinished(async () => await world.close())
  return world
}

async function madeRecord(client: RawClient): Promise<{ key: string; writer: string }> {
  const made = (await client.value('CreateDhtRecord', { kind: 'VLD0', schema: { kind: 'DFLT', o_cnt: 2 } })) as Fields
  const { key, owner, owner_secret: secret } = made as Readonly<Record<string, string>>
  return { key: key!, writer: `${owner!}:${secret!.slice('VLD0:'.length)}` }
}

describe('the stand-in for veilid-server', () => {
  it('ends a connection at a line that is no request, without an answer', async () => {
    const world = newWorld()
    const { path } = await world.startNode()
    const bad = [
      'GET / HTTP/1.1',
      '{"op":"Nothing"}',
      '{"id":1,"op":"RoutingContext","rc_id":1,"rc_op":"Release2"}',
      '{}',
    ]
    for (const line of bad) {
      const client = await RawClient.at(path)
      client.socket.write(`${line}\n`)
      expect(await client.line(), line).toBeNull()
    }
    expect(bad.length).toBe(4)
  })

  it('has handles for each connection, the lowest free one first', async () => {
    const [client] = (await startNode(newWorld())) as [RawClient]
    expect((await client.call({ op: 'NewRoutingContext' }))['value']).toBe(2)
    await client.routing('Release')
    expect(await client.routing('Safety')).toEqual({
      type: 'Response',
      id: 4,
      op: 'RoutingContext',
      rc_id: 1,
      rc_op: 'InvalidId',
    })
    expect((await client.call({ op: 'NewRoutingContext' }))['value']).toBe(1)
  })

  it('gives the newer value of the network to the first set of another node, and keeps it', async () => {
    const world = newWorld()
    const [one] = (await startNode(world)) as [RawClient]
    const [two] = (await startNode(world)) as [RawClient]
    const { key, writer } = await madeRecord(one)
    expect(await one.value('SetDhtValue', { key, subkey: 0, data: VALUE })).toBeNull()
    expect(await one.value('SetDhtValue', { key, subkey: 0, data: OTHER })).toBeNull()
    await two.routing('OpenDhtRecord', { key, writer })
    const setting = { key, subkey: 0, data: VALUE }
    expect(await two.value('SetDhtValue', setting)).toMatchObject({ seq: 1, data: OTHER })
    expect(await two.value('SetDhtValue', setting)).toBeNull()
    expect(await one.value('GetDhtValue', { key, subkey: 0, force_refresh: true })).toMatchObject({
      seq: 2,
      data: VALUE,
    })
  })

  it('tells every client of a node what other nodes wrote, and nothing of its own writes', async () => {
    const world = newWorld()
    const [one, beside] = (await startNode(world, 2)) as [RawClient, RawClient]
    const [two] = (await startNode(world)) as [RawClient]
    const { key, writer } = await madeRecord(one)
    await one.value('SetDhtValue', { key, subkey: 0, data: VALUE })
    expect(await one.value('WatchDhtValues', { key, subkeys: null, expiration: null, count: null })).toBe(true)
    await one.value('SetDhtValue', { key, subkey: 0, data: OTHER })
    await two.routing('OpenDhtRecord', { key, writer })
    await two.routing('SetDhtValue', { key, subkey: 1, data: VALUE })
    for (const client of [one, beside]) {
      await client.call({ op: 'Now' })
      expect(client.updates).toHaveLength(1)
      const value = { seq: 0, data: VALUE }
      expect(client.updates[0]).toMatchObject({
        kind: 'ValueChange',
        key,
        subkeys: [[1, 1]],
        count: 4_294_967_294,
        value,
      })
    }
    expect(await one.value('CancelDhtWatch', { key, subkeys: null })).toBe(false)
    expect(one.updates[1]).toMatchObject({ kind: 'ValueChange', subkeys: [], count: 0, value: null })
  })

  it('keeps what an offline node wrote until the node is back', async () => {
    const world = newWorld()
    const [one] = (await startNode(world)) as [RawClient]
    const [two] = (await startNode(world)) as [RawClient]
    const { key } = await madeRecord(one)
    await one.call({ op: 'Detach' })
    const never = { writer: null, allow_offline: false }
    const refused = await one.routing('SetDhtValue', { key, subkey: 0, data: VALUE, options: never })
    expect(refused['error']).toMatchObject({ kind: 'TryAgain' })
    expect(await one.value('SetDhtValue', { key, subkey: 0, data: VALUE })).toBeNull()
    expect(await one.value('InspectDhtRecord', { key, subkeys: [], scope: 'Local' })).toMatchObject({
      offline_subkeys: [[0, 0]],
    })
    expect((await two.routing('OpenDhtRecord', { key, writer: null }))['error']).toMatchObject({ kind: 'KeyNotFound' })
    await one.call({ op: 'Attach' })
    await two.routing('OpenDhtRecord', { key, writer: null })
    expect(await two.value('GetDhtValue', { key, subkey: 0, force_refresh: false })).toMatchObject({ data: VALUE })
  })

  it('closes records at a restart, and keeps their values', async () => {
    const world = newWorld()
    const [one] = (await startNode(world)) as [RawClient]
    const { key, writer } = await madeRecord(one)
    await one.value('SetDhtValue', { key, subkey: 0, data: VALUE })
    const { server, path } = world.nodes[0]!
    await server.restart()
    const again = await RawClient.at(path)
    await again.call({ op: 'NewRoutingContext' })
    const getting = { key, subkey: 0, force_refresh: false }
    expect((await again.routing('GetDhtValue', getting))['error']).toMatchObject({ message: 'record not open' })
    await again.routing('OpenDhtRecord', { key, writer })
    expect(await again.value('GetDhtValue', getting)).toMatchObject({ data: VALUE })
  })

  it('runs as a program, with nodes on one network', async () => {
    const program = fileURLToPath(new URL('../../support/veilid-server.ts', import.meta.url))
    const child = spawn(process.execPath, [program, '--nodes', '2', '--max-delay-ms', '5'], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    onTestFinished(() => void child.kill('SIGKILL'))
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    const paths = [await lines.next(), await lines.next()].map(({ value }) => value as string)
    const clients = await Promise.all(paths.map(async (path) => await RawClient.at(path)))
    for (const client of clients) await client.call({ op: 'NewRoutingContext' })
    const [one, two] = clients as [RawClient, RawClient]
    const { key } = await madeRecord(one)
    await one.value('SetDhtValue', { key, subkey: 1, data: VALUE })
    await two.routing('OpenDhtRecord', { key, writer: null })
    expect(await two.value('GetDhtValue', { key, subkey: 1, force_refresh: true })).toMatchObject({ data: VALUE })
    child.stdin.end()
    expect(await once(child, 'exit')).toEqual([0, null])
  })
})

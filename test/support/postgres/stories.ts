/** Two relays on one database, as their clients see them. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import { callRelay } from '../../../src/relayd/program/call-relay.ts'
import type { Figures } from '../../../src/relayd/program/metrics.ts'
import { makePersona } from '../made-persona.ts'
import { TestOwner } from '../relay-boxes.ts'
import { RelayDevices } from '../relay-devices.ts'
import { RAISED_LIMITS, type RelayProcess } from '../relay-process.ts'
import type { TestPostgres } from './server.ts'
import { answerFrom, receiveAll, SHARED_URL, startTwo, waitAt, type TwoRelays } from './two-relays.ts'

const nowSec = (): number => Math.floor(Date.now() / 1000)
const START_MS = 60_000 // sanity: two programs, on a busy machine
const LISTENERS = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query ~ '^(LISTEN|NOTIFY)'`

async function stats({ dataDir }: RelayProcess): Promise<Figures> {
  return (await callRelay(join(dataDir, 'control.sock'), 'stats', {})) as Figures
}

export function testTwoRelays(server: () => TestPostgres): void {
  const { personaId } = new RelayDevices(makePersona(1), '')
  let two: TwoRelays
  let [left, right]: RelayProcess[] = []

  beforeAll(async () => {
    two = await startTwo(server(), 'two', `personas: ['${personaId}']\n${RAISED_LIMITS}`)
    ;[left, right] = two.relays
  }, START_MS)
  afterAll(async () => {
    await two.remove()
  })

  it('a stream at one tells what came in by the other, also while nothing wakes it', async () => {
    const [alice, bob] = [await TestOwner.new('x25519'), await TestOwner.new('x25519')]
    const ending = new AbortController()
    onTestFinished(() => ending.abort())
    const events = await waitAt(left!, [alice.pub, bob.pub], ending.signal)
    await right!.post(alice.send('Zmlyc3Q'))
    await expect.poll(() => events.length).toBe(1)
    expect(events[0]).toContain(alice.pub)
    await server().sql(LISTENERS)
    await right!.post(bob.send('c2Vjb25k'))
    await expect.poll(() => events.length, { timeout: 10_000 }).toBe(2)
    expect(events[1]).toContain(bob.pub)
  })

  it('a question of one is answered at the other, once at both', async () => {
    const alice = await TestOwner.new('x25519')
    await left!.post(alice.send('Zmlyc3Q'))
    const answer = await answerFrom(left!, alice)
    const body = alice.receiveBody(answer)
    expect(await right!.post(body)).toMatchObject({ ok: true, data: 'Zmlyc3Q' })
    for (const relay of [left!, right!]) expect(await relay.post(body)).toEqual({ ok: false, error: 'Wrong answer' })
  })

  it('an object of one is read at the other in any part, and nothing of a deleted persona is left', async () => {
    const [sender, reader] = [left!, right!].map(({ url }) => new RelayDevices(makePersona(1), url, SHARED_URL, nowSec))
    const { text, at } = sender!.cardOf({ issuedAtSec: nowSec() })
    expect((await fetch(`${left!.url}/card/${at}`, { method: 'PUT', body: text })).status).toBe(200)
    const bytes = randomBytes((600 << 10) + 1)
    expect((await sender!.ask('PUT', sender!.objectPath(1), bytes)).status).toBe(201)
    expect((await reader!.ask('GET', reader!.objectPath(1))).bytes.equals(bytes)).toBe(true)
    const [edge, end] = [256 << 10, bytes.length]
    for (const [from, to] of [
      [0, 0],
      [edge - 1, edge],
      [edge, 2 * edge - 1],
      [2 * edge + 1, end - 1],
    ] as const) {
      const range = await reader!.ask('GET', reader!.objectPath(1), '', { headers: { range: `bytes=${from}-${to}` } })
      expect([range.status, range.bytes.equals(bytes.subarray(from, to + 1))]).toEqual([206, true])
    }
    // Others than its sender signed leave nothing.
    expect((await sender!.ask('PUT', sender!.objectPath(2), 'signed', { sent: 'other' })).status).toBe(401)
    expect(await stats(right!)).toMatchObject({ cards: 1, objects: 1, keptIn: 'database' })
    expect((await reader!.ask('DELETE', reader!.personaPath)).status).toBe(200)
    const rows = await server().sql(
      'SELECT count(*) FROM two.part' +
        " UNION ALL SELECT count(*) FROM two.record WHERE key ~ '^(card|persona|object|owned)/'",
    )
    expect(rows).toEqual([['0'], ['0']])
    expect(await stats(left!)).toMatchObject({ cards: 0, objects: 0 })
  })

  it('an object of which a row is missing is refused where it begins, ends its answer where it goes on, and is never another', async () => {
    const device = new RelayDevices(makePersona(1), left!.url, SHARED_URL, nowSec)
    const { text, at } = device.cardOf({ issuedAtSec: nowSec() })
    expect((await fetch(`${left!.url}/card/${at}`, { method: 'PUT', body: text })).status).toBe(200)
    const bytes = randomBytes(3 * (256 << 10))
    expect((await device.ask('PUT', device.objectPath(1), bytes)).status).toBe(201)
    await server().sql('DELETE FROM two.part WHERE n = 1')
    const read = async (range: string): Promise<number> =>
      (await device.ask('GET', device.objectPath(1), '', { headers: { range } })).status
    await expect(read('bytes=0-')).rejects.toThrow()
    expect(await read(`bytes=${256 << 10}-`)).toBe(500)
    expect(await read('bytes=0-9')).toBe(206)
    expect((await device.ask('DELETE', device.personaPath)).status).toBe(200)
  })

  it('a database that is away fails the requests of its time, and no others', async () => {
    const alice = await TestOwner.new('x25519')
    expect(await left!.post(alice.send('Zmlyc3Q'))).toEqual({ ok: true })
    await server().stop()
    for (const relay of [left!, right!]) expect(await relay.post(alice.send('bG9zdA'))).toEqual({ error: 'Failed' })
    await server().run()
    for (const relay of [left!, right!]) {
      expect(await relay.post(alice.send('c2Vjb25k'))).toEqual({ ok: true })
      expect(await receiveAll(relay, alice)).toMatchObject({
        messages: [{ data: 'Zmlyc3Q' }, { data: 'c2Vjb25k' }],
      })
      expect(relay.log.join('\n')).toContain('DATABASE_UNREACHABLE')
    }
  })
}

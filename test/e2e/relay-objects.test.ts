/** Objects at a real relay: the files on its disk, what a deletion leaves of them, and bodies of the largest size. */
import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { callRelay } from '../../src/relayd/program/call-relay.ts'
import type { Figures } from '../../src/relayd/program/metrics.ts'
import { APP } from '../support/cards.ts'
import { makePersona } from '../support/made-persona.ts'
import { RelayDevices, type Asked } from '../support/relay-devices.ts'
import { etagOf } from '../support/relay-object-world.ts'
import { RelayProcess, type RelayProcessOptions } from '../support/relay-process.ts'
import { tempDir } from '../support/temp-dir.ts'

const nowSec = (): number => Math.floor(Date.now() / 1000)
const ISSUED_SEC = nowSec()
const MIB = 1 << 20

/** A relay that lists two personas, with a card of each. */
async function start(options: RelayProcessOptions): Promise<[RelayProcess, RelayDevices, RelayDevices]> {
  const personas = [1, 2].map((number) => new RelayDevices(makePersona(number), ''))
  const list = `personas: [${personas.map(({ personaId }) => `'${personaId}'`).join(', ')}]\n`
  const relay = await RelayProcess.start({ ...options, config: `${list}${options.config ?? ''}` })
  const [alice, bob] = personas.map(({ persona }) => new RelayDevices(persona, relay.url, relay.url, nowSec))
  for (const devices of [alice!, bob!]) {
    const { text, at } = devices.cardOf({ issuedAtSec: ISSUED_SEC })
    expect((await fetch(`${relay.url}/card/${at}`, { method: 'PUT', body: text })).status).toBe(200)
  }
  return [relay, alice!, bob!]
}

async function stats({ dataDir }: RelayProcess): Promise<Figures> {
  return (await callRelay(join(dataDir, 'control.sock'), 'stats', {})) as Figures
}

/** The texts that files below a directory have, in their bytes or in their names, each beside the kind of the file. */
function foundBelow(directory: string, texts: Readonly<Record<string, string>>): string[] {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const found = files.flatMap(({ parentPath, name }) => {
    const bytes = readFileSync(join(parentPath, name))
    const kind = name.replace(/\d{6}\.|-\d+$|^[0-9A-F.]{129}$/, '')
    return Object.entries(texts).flatMap(([what, text]) =>
      bytes.includes(text) || name.includes(text) ? `${what} in ${kind}` : [],
    )
  })
  return [...new Set(found)].toSorted()
}

/** Leaves an entry in the inbox of somebody. */
async function post(from: RelayDevices, { persona, personaId }: RelayDevices, encId: string): Promise<Asked> {
  const to = persona.positions[0]!.personaId
  return await from.ask('POST', `/inbox/${personaId}`, JSON.stringify({ app: APP, encId }), { to })
}

test('a deleted persona leaves no byte in the data directory, and takes nothing of others along', async () => {
  const home = tempDir()
  const [relay, alice, bob] = await start({ home })
  for (const n of [1, 2, 3]) {
    expect((await alice.ask('PUT', alice.objectPath(n), `sealed by Alice ${n}`)).status).toBe(201)
    expect((await bob.ask('PUT', bob.objectPath(n), `sealed by Bob ${n}`)).status).toBe(201)
  }
  expect(await post(bob, alice, 'AnEntryForAlice0')).toMatchObject({ status: 202 })
  const { text, at } = alice.cardOf({ issuedAtSec: ISSUED_SEC })
  const kept = { id: alice.personaId, card: text.slice(100, 300), place: at, object: 'sealed by Alice' }
  const texts = { ...kept, entry: 'AnEntryForAlice0' }
  expect(foundBelow(relay.dataDir, texts)).toEqual([
    'card in log',
    'entry in log',
    'id in ',
    'id in log',
    'object in ',
    'place in log',
  ])
  expect((await alice.ask('DELETE', alice.personaPath)).status).toBe(200)
  // The database lists its files by their first and last keys.
  const left = foundBelow(relay.dataDir, texts)
  expect(left.filter((each) => each !== 'id in MANIFEST')).toEqual([])
  expect((await stats(relay)).objects).toBe(3)
  await relay.kill('SIGTERM')
  const again = await RelayProcess.start({ home })
  expect(foundBelow(again.dataDir, texts)).toEqual([])
  const { bytes } = await bob.moved(again.url).ask('GET', bob.objectPath(2))
  expect(bytes.toString()).toBe('sealed by Bob 2')
})

test('an entry that a deleted persona has left for somebody else stays for them', async () => {
  const [, alice, bob] = await start({ home: tempDir() })
  expect(await post(alice, bob, 'AnEntryForBobby0')).toMatchObject({ status: 202 })
  expect((await alice.ask('DELETE', alice.personaPath)).status).toBe(200)
  const path = `/inbox/${bob.personaId}?app=${APP}&after=0`
  const { body } = await bob.ask('GET', path, '', { device: 1 })
  expect(body).toMatchObject({ entries: [{ from: alice.personaId, encId: 'AnEntryForBobby0' }] })
})

test('the operator sees the objects, and deletes those of a persona', async () => {
  const [relay, alice, bob] = await start({ home: tempDir() })
  await alice.ask('PUT', alice.objectPath(1), 'sealed by Alice')
  await bob.ask('PUT', bob.objectPath(1), 'sealed by Bob')
  const socket = join(relay.dataDir, 'control.sock')
  expect(await stats(relay)).toMatchObject({ objects: 2, transfers: 0 })
  const forget = (): Promise<unknown> => callRelay(socket, 'forget', { pub: alice.personaId })
  expect(await forget()).toEqual({ found: true, cards: 1, inboxes: 0, objects: 1 })
  expect(await forget()).toEqual({ found: false, cards: 0, inboxes: 0, objects: 0 })
  expect(foundBelow(relay.dataDir, { object: 'sealed by Alice' })).toEqual([])
  expect((await bob.ask('GET', bob.objectPath(1))).status).toBe(200)
})

// Each MiB takes some milliseconds on both sides.
test.skipIf(process.platform !== 'linux' || process.env['STORIES'] === undefined)(
  'the largest objects travel in parts: many at once take no memory for each',
  async () => {
    const [relay, alice] = await start({ home: tempDir() })
    const peakMiB = (): number =>
      Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${relay.child.pid}/status`, 'utf8'))![1]) / 1024
    await alice.ask('PUT', alice.objectPath(0), 'a small one, so that all code is loaded')
    const before = peakMiB()
    const body = randomBytes(20 * MIB)
    const numbers = [1, 2, 3, 4, 5, 6]
    for (const method of ['PUT', 'GET']) {
      const answers = await Promise.all(
        numbers.map((n) => alice.ask(method, alice.objectPath(n), method === 'PUT' ? body : '')),
      )
      expect(answers.map(({ headers }) => headers.get('etag'))).toEqual(numbers.map(() => etagOf(body)))
      expect(answers.every(({ bytes }) => method === 'PUT' || bytes.equals(body))).toBe(true)
    }
    // The engine cleans up after 64 MiB of buffers, however many objects they were for.
    expect(peakMiB() - before).toBeLessThan(90)
    expect((numbers.length * body.length) / MIB).toBe(120)
  },
  120_000,
)

test('a link in the data directory is refused, and never followed', async () => {
  const home = tempDir()
  const [relay, alice] = await start({ home })
  await alice.ask('PUT', alice.objectPath(1), 'sealed by Alice')
  const kept = join(relay.dataDir, 'objects/kept')
  const file = join(kept, readdirSync(kept)[0]!)
  const secret = join(home, 'secret')
  writeFileSync(secret, 'sealed by Alice')
  rmSync(file)
  symlinkSync(secret, file)
  const got = await alice.ask('GET', alice.objectPath(1))
  expect([got.status, got.body]).toEqual([500, { error: 'Failed' }])
  expect(await relay.logged('relay.request-failed')).toContain('is not the object that was kept there')
  expect((await alice.ask('DELETE', alice.objectPath(1))).status).toBe(200)
  expect(readFileSync(secret, 'utf8')).toBe('sealed by Alice')
  await relay.kill('SIGTERM')
  renameSync(kept, join(home, 'elsewhere'))
  symlinkSync(join(home, 'elsewhere'), kept)
  const again = await RelayProcess.start({ home })
  expect(await again.ended).toBe(78)
  expect(again.log.join('')).toContain('objects/kept is a symbolic link')
})

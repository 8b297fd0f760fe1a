/** Salvage of stores that the real daemon wrote, with single bits flipped: what was not hit is there again (docs/backup.md, section 6). */
import { createHash } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { salvage } from '../../src/store/salvage/salvage.ts'
import { readSalvageable, type Salvaged } from '../../src/store/salvage/read.ts'
import { statePaths } from '../../src/store/state-dir.ts'
import { DaemonProcess } from '../support/daemon.ts'
import { OWN_LAPTOP, OWN_PHONE } from '../support/keeper.ts'
import { Home } from '../support/persona.ts'
import { person } from '../support/person.ts'
import { openState } from '../support/state-dir.ts'
import { tempDir } from '../support/temp-dir.ts'

const PEOPLE = Array.from({ length: 24 }, (_, n) => person(`salvaged ${n}`))
const nameOf = (n: number): string => `Person ${String(n).padStart(2, '0')}`

/** A home whose daemon ran three times, so that records are in tables and in a log. */
async function makeHome(): Promise<string> {
  const home = tempDir()
  for (const run of [0, 1, 2]) {
    const daemon = await DaemonProcess.start({ home })
    const client = await daemon.connect()
    if (run === 0) await client.call('persona.init', { device: { name: 'laptop', key: OWN_LAPTOP } })
    if (run === 1) await client.call('device.add', { name: 'phone', key: OWN_PHONE })
    if (run === 2) await client.call('app.allow', { name: 'toxbot', can: ['read'] })
    for (const [n, other] of PEOPLE.entries()) {
      if (n % 3 !== run) continue
      const text = other.table(['phone', 'laptop']).text()
      await client.call('observe', { from: other.key('phone'), text, name: nameOf(n) })
    }
    await daemon.kill('SIGTERM')
  }
  return home
}

/** The files of the store, and the anchor, with their bytes. */
function filesOf(state: string): Map<string, Uint8Array> {
  const names = readdirSync(join(state, 'store')).filter((name) => /^(CURRENT|MANIFEST-\d+|\d+\.(log|ldb))$/.test(name))
  return new Map(
    ['anchor', ...names.map((name) => `store/${name}`)].map((name) => [name, readFileSync(join(state, name))]),
  )
}

async function recordsOf(state: string): Promise<Map<string, Buffer>> {
  const { store, close } = await openState(state)
  const records = new Map<string, Buffer>()
  for await (const { key, value } of store.iterate({ prefix: '' })) records.set(key, Buffer.from(value))
  await close()
  records.delete('commit')
  return records
}

/** A directory with these files of a store, one of them with a flipped bit. */
function flipped(files: ReadonlyMap<string, Uint8Array>, name: string, at: number): string {
  const state = tempDir()
  mkdirSync(join(state, 'store'))
  for (const [file, bytes] of files) writeFileSync(join(state, file), bytes)
  const changed = Uint8Array.from(files.get(name)!)
  changed[at]! ^= 1 << (at % 8)
  writeFileSync(join(state, name), changed)
  return state
}

describe('a store of the real daemon', () => {
  test('without damage is read completely, with nothing to report', async () => {
    const state = join(await makeHome(), 'state')
    const found = await readSalvageable(statePaths(state))
    expect({ ...found, records: found.records.size }).toEqual({
      records: found.records.size,
      lost: [],
      damage: [],
      lostCommits: 0,
      mayBeOlder: false,
    })
    const truth = await recordsOf(state)
    expect(found.records.size).toBe(truth.size)
    for (const [key, value] of truth) expect(value.equals(found.records.get(key)!), key).toBe(true)
  })

  test('with one flipped bit anywhere loses what the bit touches, names it, and never a record without a word', async () => {
    const state = join(await makeHome(), 'state')
    const files = filesOf(state)
    const truth = await recordsOf(state)
    expect([...files.keys()].filter((name) => name.endsWith('.ldb')).length).toBeGreaterThan(0)
    const worst: Record<string, number> = {}
    let ran = 0
    for (const [name, bytes] of files) {
      const step = Math.max(1, Math.floor(bytes.length / 150))
      for (let at = 0; at < bytes.length; at += step) {
        const damaged = flipped(files, name, at)
        const found = await readSalvageable(statePaths(damaged))
        const missing = check(truth, found, `${name} at ${at}`)
        const kind = name.replace(/^store\/(\d+\.)?/, '').replace(/-\d+$/, '')
        worst[kind] = Math.max(worst[kind] ?? 0, missing)
        rmSync(damaged, { recursive: true })
        ran++
      }
    }
    expect(ran).toBeGreaterThan(500)
    console.log(`salvage: ${ran} flips; most records lost by one: ${JSON.stringify(worst)}`)
    // A table writes 16 keys relative to the first of them, and a batch has the records of one change.
    expect(worst).toMatchObject({ anchor: 0, CURRENT: 0, MANIFEST: 0 })
    expect(Math.max(...Object.values(worst))).toBeLessThanOrEqual(16)
  })
})

test('a record whose damaged key is that of a later record is not lost without a word', async () => {
  const state = join(tempDir(), 'state')
  // The records between fill blocks, so that the mark of the commits lies in another one.
  const others = Array.from({ length: 100 }, (_, n) => ({ key: `device/${n + 100}`, value: new Uint8Array(200) }))
  const writes = [...others, ...['name/1', 'name/3'].map((key) => ({ key, value: Buffer.from(key) }))]
  // The second start writes the log of the first into a table.
  for (const commits of [writes, []]) {
    const { store, close } = await openState(state)
    for (const write of commits) await store.commit([write])
    await close()
  }
  const [name] = readdirSync(join(state, 'store')).filter((each) => each.endsWith('.ldb'))
  const file = join(state, 'store', name!)
  const bytes = readFileSync(file)
  bytes[bytes.indexOf('name/1') + 5]! ^= 0x02 // '1' becomes '3'
  writeFileSync(file, bytes)
  const { records, mayBeOlder } = await readSalvageable(statePaths(state))
  expect([records.has('name/1'), records.has('name/3'), mayBeOlder]).toEqual([false, true, true])
})

/** @returns the number of records that are not as they were */
function check(truth: ReadonlyMap<string, Buffer>, found: Salvaged, where: string): number {
  // The bit may be in the key. Then the record is reported under a key that no record has.
  const isExplained = (key: string): boolean =>
    found.lost.some((lost) => lost.key === key || !truth.has(lost.key)) ||
    found.damage.some((damage) => damage.key === null)
  let missing = 0
  for (const [key, value] of truth) {
    const saved = found.records.get(key)
    if (saved !== undefined && value.equals(saved)) continue
    missing++
    expect(isExplained(key), `${where}: ${key}`).toBe(true)
  }
  for (const key of found.records.keys())
    if (!truth.has(key)) expect([where, key, found.mayBeOlder]).toEqual([where, key, true])
  return missing
}

/** Names, content and times of everything in a directory. */
function fingerprint(directory: string): string {
  const hash = createHash('sha256')
  for (const name of readdirSync(directory, { recursive: true, encoding: 'utf8' }).toSorted()) {
    const file = statSync(join(directory, name))
    hash.update(`${name} ${file.mode} ${file.mtimeMs} ${file.ctimeMs}\n`)
    if (file.isFile()) hash.update(readFileSync(join(directory, name)))
  }
  return hash.digest('hex')
}

/** Flips a bit in the value of this record, wherever it stands. A table may write only the end of its key. */
function damage(state: string, record: string): void {
  const store = join(state, 'store')
  const end = record.slice(-30)
  let hits = 0
  for (const name of readdirSync(store).filter((each) => /\.(log|ldb)$/.test(each))) {
    const bytes = readFileSync(join(store, name))
    for (let at = bytes.indexOf(end); at >= 0; at = bytes.indexOf(end, at + 1)) {
      // In the values of other records a quotation mark follows.
      if (bytes[at + end.length] === 0x22) continue
      bytes[at + end.length + 40]! ^= 1
      hits++
    }
    writeFileSync(join(store, name), bytes)
  }
  expect(hits).toBeGreaterThan(0)
}

describe('persona store salvage', () => {
  test('makes a state that starts, lists everybody who was not hit, and signs nothing; the damaged one stays as it is', async () => {
    const home = await makeHome()
    const hit = PEOPLE[7]!
    damage(join(home, 'state'), `persona/${hit.id}`)
    const refused = await DaemonProcess.start({ home })
    expect(await refused.ended).toBe(78)
    const before = fingerprint(join(home, 'state'))
    const rescued = tempDir()
    const command = new Home()
    const answer = await command.done(['--json', '--home', home, 'store', 'salvage', join(rescued, 'state')])
    expect(fingerprint(join(home, 'state'))).toBe(before)
    expect(JSON.parse(answer)).toMatchObject({
      lost: expect.arrayContaining([{ kind: 'persona', key: `persona/${hit.id}`, isOlder: false }]),
      lostCommits: 0,
      personaIsLost: false,
    })
    const daemon = await DaemonProcess.start({ home: rescued })
    const client = await daemon.connect()
    const { contacts } = await client.call('contact.list', { limit: 500 })
    const others = PEOPLE.map((_, n) => nameOf(n)).filter((name) => name !== nameOf(7))
    expect(contacts.map(({ name }) => name).toSorted()).toEqual(others)
    const status = await client.call('status')
    expect(status.persona?.devices.map(({ name }) => name)).toEqual(['laptop', 'phone'])
    expect(status.findings.map(({ code }) => code)).toContain('RESTORE_UNRECONCILED')
    await expect(client.call('device.add', { name: 'x', key: hit.key('x') })).rejects.toMatchObject({
      code: 'RESTORE_UNRECONCILED',
    })
    expect((await client.call('log.verify')).intact).toBe(true)
    // A change may be missing, so a revoked token could be among the apps.
    expect((await client.call('app.list')).apps).toEqual([])
    await client.call('persona.reconcile', { copies: [], force: true })
    await client.call('device.add', { name: 'x', key: hit.key('x') })
    await daemon.kill('SIGTERM')
    const again = await DaemonProcess.start({ home: rescued })
    const { findings } = await (await again.connect()).call('status')
    expect(findings.map(({ code }) => code)).not.toContain('RESTORE_UNRECONCILED')
  })

  test('says what is lost in words, and what to do when that is the own table', async () => {
    const home = await makeHome()
    damage(join(home, 'state'), 'own/own')
    const target = join(tempDir(), 'state')
    const text = await new Home().done(['--home', home, 'store', 'salvage', target])
    expect(text).toMatch(/^\d+ records saved$/m)
    expect(text).toMatch(/lost: 1 record of your persona\n {2}own\/own/)
    expect(text).toContain('move "secrets" out of the new directory')
    const refused = await DaemonProcess.start({ home: dirname(target) })
    expect(await refused.ended).toBe(78)
    expect(refused.log.join()).toContain('SECRETS_FOREIGN')
    expect(existsSync(join(target, 'secrets'))).toBe(true)
    rmSync(join(target, 'secrets'))
    const daemon = await DaemonProcess.start({ home: dirname(target) })
    const client = await daemon.connect()
    expect((await client.call('status')).persona).toBeNull()
    expect((await client.call('contact.list', { limit: 500 })).contacts.length).toBeGreaterThanOrEqual(PEOPLE.length)
  })

  test('goes on without a signing key that cannot be read, and the words bring the persona back there', async () => {
    const home = await makeHome()
    const state = join(home, 'state')
    const [target, secrets] = [join(tempDir(), 'state'), join(state, 'secrets')]
    const before = await DaemonProcess.start({ home })
    const owner = await before.connect()
    const { words } = await owner.call('recovery.show')
    const own = (await owner.call('status')).persona?.personaId
    await before.kill('SIGTERM')
    chmodSync(secrets, 0o644)
    const refused = ['--home', home, 'store', 'salvage', target]
    expect(await new Home().failure(refused)).toBe('1 SECRETS_OPEN_TO_OTHERS')
    expect(existsSync(target)).toBe(false)
    // As unreadable as on a disk with bad sectors.
    rmSync(secrets)
    mkdirSync(secrets, { mode: 0o700 })
    expect(await new Home().done(refused)).toContain('with your signing key cannot be read')
    const daemon = await DaemonProcess.start({ home: dirname(target) })
    const client = await daemon.connect()
    expect((await client.call('status')).persona).toBeNull()
    expect((await client.call('contact.list', { limit: 500 })).contacts.length).toBeGreaterThanOrEqual(PEOPLE.length)
    const device = { name: 'laptop', key: OWN_LAPTOP }
    await client.call('persona.recover', { words: words.join(' '), copies: [], device })
    expect((await client.call('status')).persona?.personaId).toBe(own)
  })

  test('refuses a running daemon, a place in the damaged directory, and a directory that exists', async () => {
    const home = tempDir()
    const daemon = await DaemonProcess.start({ home })
    const options = {
      from: join(home, 'state'),
      to: join(tempDir(), 'new'),
      neverOlder: [],
      needSecrets: [],
      needApps: [],
    }
    await expect(salvage(options)).rejects.toMatchObject({ code: 'STORE_LOCKED' })
    await daemon.kill('SIGTERM')
    const full = tempDir()
    writeFileSync(join(full, 'file'), '')
    let ran = 0
    for (const to of [join(home, 'state'), join(home, 'state', 'new'), join(home, 'state/store/new'), full]) {
      await expect(salvage({ ...options, to }), to).rejects.toMatchObject({ code: 'SALVAGE_TARGET' })
      ran++
    }
    expect(ran).toBe(4)
    const nowhere = join(tempDir(), 'nowhere')
    await expect(salvage({ ...options, from: nowhere })).rejects.toThrow(`there is no state directory ${nowhere}`)
    await expect(salvage({ ...options, to: join(nowhere, 'new') })).rejects.toThrow(`${nowhere} does not exist`)
    await expect(salvage({ ...options, from: tempDir() })).rejects.toMatchObject({ code: 'STORE_MISSING' })
    await salvage(options)
    expect(statSync(options.to).mode & 0o777).toBe(0o700)
  })
})

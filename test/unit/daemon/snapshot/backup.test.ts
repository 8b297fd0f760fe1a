import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { CryptoEngine } from '../../../../src/crypto/engine.ts'
import { copySecret } from '../../../../src/crypto/seal.ts'
import { formatShort, shortOf } from '../../../../src/core/announce/short.ts'
import { formatBase64url } from '../../../../src/core/encoding/bytes.ts'
import { MAX_ALIASES } from '../../../../src/core/consent.ts'
import { decodeStored } from '../../../../src/daemon/personas/heads.ts'
import { BackupWriter } from '../../../../src/daemon/snapshot/backup.ts'
import type { OwnTable } from '../../../../src/ipc/shapes/own.ts'
import { openMemoryStore } from '../../../../src/store/memory-store.ts'
import { codeOf } from '../../../support/code-of.ts'
import { OWN_LAPTOP, OWN_PHONE, ownText, TestKeeper } from '../../../support/keeper.ts'
import { engine, person, START_SEC } from '../../../support/person.ts'
import { everything, restorable } from '../../../support/snapshot.ts'

const PASSPHRASE = 'a backup of mine'
interface BackupFile {
  readonly header: string
  readonly boxes: readonly string[]
}

async function backupOf(keeper: TestKeeper): Promise<BackupFile> {
  const { backup, header } = await keeper.call('backup.begin', { passphrase: PASSPHRASE })
  const boxes: string[] = []
  for (;;) {
    const { box, isLast } = await keeper.call('backup.next', { backup })
    boxes.push(box)
    if (isLast) return { header, boxes }
  }
}

async function putBack(keeper: TestKeeper, { header, boxes }: BackupFile, passphrase = PASSPHRASE): Promise<void> {
  const { restore } = await keeper.call('restore.begin', { header, passphrase })
  for (const [i, box] of boxes.entries()) {
    await keeper.call('restore.put', { restore, box, isLast: i === boxes.length - 1 })
  }
}

async function manyFriends(keeper: TestKeeper, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const friend = person(`friend ${i}`)
    await keeper.sees(friend.key('pc'), friend.table(['pc', 'phone']), { name: friend.name })
  }
}

/** Without Argon2id, which would take most of the time here, and has tests elsewhere. */
const quick: CryptoEngine = {
  ...engine,
  argon2id: (passphrase, salt) => Promise.resolve(copySecret(engine.sha512(passphrase, salt).slice(0, 32), engine)),
}

interface Story {
  readonly laptop: TestKeeper
  readonly file: BackupFile
  /** The owner's status message before the last edits, which friends still have. */
  readonly oldText: string
  readonly restored: () => Promise<TestKeeper>
}

async function story(): Promise<Story> {
  const laptop = await TestKeeper.withPersona({ engine: quick })
  const oldText = await ownText(laptop)
  await laptop.later(100).call('device.add', { name: 'phone', key: OWN_PHONE })
  await manyFriends(laptop, 60)
  const file = await backupOf(laptop)
  const restored = async (): Promise<TestKeeper> => {
    const keeper = await TestKeeper.open({ nowSec: laptop.nowSec + 1000, engine: quick })
    await putBack(keeper, file)
    return keeper
  }
  return { laptop, file, oldText, restored }
}

describe('a backup', () => {
  it('of several chunks restores the same state, which may not sign yet, with the keys sealed by its passphrase', async () => {
    const { laptop, file, restored } = await story()
    expect(file.boxes.length).toBeGreaterThan(1)
    const keeper = await restored()
    expect(await restorable(keeper.store)).toEqual(await restorable(laptop.store))
    expect(keeper.records.own.get('own')?.restoredSec).toBe(keeper.nowSec)
    const again = await keeper.reopened()
    expect((await again.call('status')).persona?.personaId).toBe((await laptop.call('device.list')).personaId)
    expect(await codeOf(again.call('persona.unlock', { passphrase: 'another' }))).toBe('SEAL_WRONG_PASSPHRASE')
    expect(await codeOf(again.call('persona.unlock', { passphrase: PASSPHRASE }))).toBe('done')
  })

  it('restores a contact with too many names: it keeps some of them, and frees the others', async () => {
    const laptop = await TestKeeper.withPersona({ engine: quick })
    const bob = person('bob of many names')
    const keys: string[] = []
    for (let tables = 0; tables < 6; tables++) {
      const names = Array.from({ length: 14 }, (_, i) => `${tables}-${i}`)
      for (const name of names) await laptop.later(61).sees(bob.key(name), 'hi', { name: `friend ${name}` })
      const table = bob.table(names, { named: false })
      for (const name of names) {
        await laptop.later(61).sees(bob.key(name), table)
        const { contact } = await laptop.call('lookup', { query: bob.key(name) })
        if (contact?.pending === true) await laptop.call('pending.accept', { contact: contact.name })
      }
      keys.push(...names.map((name) => bob.key(name)))
    }
    const { aliases } = await laptop.call('contact.show', { contact: bob.id })
    expect([keys.length, aliases.length]).toStrictEqual([84, MAX_ALIASES])
    expect(await laptop.call('lookup', { query: 'friend 5-13' })).toMatchObject({ by: 'none' })
    expect(await laptop.call('lookup', { query: aliases.at(-1)! })).toMatchObject({ contact: { name: 'friend 0-0' } })
    const keeper = await TestKeeper.open({ engine: quick, nowSec: laptop.nowSec })
    await putBack(keeper, await backupOf(laptop))
    expect(await keeper.call('contact.show', { contact: bob.id })).toMatchObject({ name: 'friend 0-0', aliases })
  })

  it('contains no seed, and no key or name in the clear', async () => {
    const { laptop, file, restored } = await story()
    const whole = [file.header, ...file.boxes].map((part) => Buffer.from(part, 'base64url'))
    const seed = readFileSync(join(laptop.stateDir, 'seed'))
    expect(readdirSync(laptop.stateDir)).toContain('seed')
    const text = Buffer.concat(whole).toString('latin1')
    expect(text).not.toContain('friend')
    expect(text).not.toContain(OWN_LAPTOP)
    expect(text).not.toContain(seed.subarray(-32).toString('latin1'))
    const keeper = await restored()
    expect(readdirSync(keeper.stateDir)).not.toContain('seed')
    expect(await codeOf(keeper.call('recovery.show'))).toBe('RECOVERY_ELSEWHERE')
  })

  it('that was begun but never read leaves no signing key in memory', async () => {
    const sealed: Uint8Array[] = []
    const watched: CryptoEngine = {
      ...quick,
      sealBox: (message, nonce, key) => {
        sealed.push(message)
        return engine.sealBox(message, nonce, key)
      },
    }
    const keeper = await TestKeeper.withPersona({ engine: watched })
    sealed.length = 0
    const { backup } = await keeper.call('backup.begin', { passphrase: PASSPHRASE })
    expect(sealed).toHaveLength(1)
    expect(sealed[0]!.every((byte) => byte === 0)).toBe(true)
    expect((await keeper.call('backup.next', { backup })).isLast).toBe(true)
    expect(sealed).toHaveLength(1)
  })

  it('does not prove the epoch for later times: a rotation needs a copy read since, or a number', async () => {
    const { laptop } = await story()
    const text = await ownText(laptop)
    await laptop.sees(OWN_PHONE, text)
    expect(await laptop.call('rotation.plan', {})).toMatchObject({ epoch: 1 })
    const keeper = await TestKeeper.open({ nowSec: laptop.nowSec + 1000, engine: quick })
    await putBack(keeper, await backupOf(laptop))
    expect(await codeOf(keeper.call('rotation.plan', {}))).toBe('EPOCH_UNSURE')
    expect(await keeper.call('rotation.plan', { epoch: 3 })).toMatchObject({ epoch: 3 })
    await keeper.later(1).sees(OWN_PHONE, text)
    expect(await keeper.call('rotation.plan', {})).toMatchObject({ epoch: 1 })
  })

  it('fails while the key is locked, and without a persona', async () => {
    const sealed = await TestKeeper.open({ engine: quick })
    expect(await codeOf(sealed.call('backup.begin', { passphrase: PASSPHRASE }))).toBe('NO_PERSONA')
    await sealed.call('persona.init', { passphrase: 'x' })
    const locked = await sealed.reopened()
    expect(await codeOf(locked.call('backup.begin', { passphrase: PASSPHRASE }))).toBe('LOCKED')
  })

  it('leaves nothing if it is damaged, cut, reordered, extended or opened by another passphrase, and the next try may succeed', async () => {
    const { file } = await story()
    const { header, boxes } = file
    const [first, second] = [boxes[0]!, boxes[1]!]
    const bad = second.slice(0, 100) + (second[100] === 'A' ? 'B' : 'A') + second.slice(101)
    const cases: [string, string, BackupFile, string?][] = [
      ['wrong passphrase', 'SEAL_WRONG_PASSPHRASE', file, 'another'],
      ['damaged', 'BACKUP_DAMAGED', { header, boxes: [first, bad, ...boxes.slice(2)] }],
      ['cut', 'BACKUP_CUT', { header, boxes: boxes.slice(0, -1) }],
      ['left out', 'BACKUP_DAMAGED', { header, boxes: [first, ...boxes.slice(2)] }],
      ['extended', 'BACKUP_DAMAGED', { header, boxes: [...boxes, first] }],
      ['another file', 'BACKUP_NOT_ONE', { header: first.slice(0, 44), boxes }],
    ]
    let ran = 0
    for (const [what, code, { header: head, boxes: parts }, passphrase] of cases) {
      const keeper = await TestKeeper.open({ engine: quick })
      const outcome =
        what === 'extended'
          ? putBackLate(keeper, { header: head, boxes: parts })
          : putBack(keeper, { header: head, boxes: parts }, passphrase)
      expect([what, await codeOf(outcome)]).toEqual([what, code])
      expect([...(await everything(keeper.store)).keys()]).toEqual([])
      expect(readdirSync(keeper.stateDir)).toEqual([])
      expect(await codeOf(putBack(keeper, file))).toBe('done')
      ran++
    }
    expect(ran).toBe(6)
  })

  it('is refused if its signing key belongs to another persona, and nothing is imported', async () => {
    const { laptop } = await story()
    const other = await TestKeeper.withPersona({ engine: quick })
    const { store, onDisk, engine: sodium, nowSec, own } = laptop.keeper
    const change = laptop.keeper.change.bind(laptop.keeper)
    const table = (): OwnTable => laptop.keeper.table()
    const mixed = { store, onDisk, engine: sodium, nowSec, own, change, table, custody: other.custody }
    const writer = await BackupWriter.begin(mixed, PASSPHRASE)
    const boxes: string[] = []
    for (let next = await writer.next(); next !== null; next = await writer.next()) {
      boxes.push(formatBase64url(next.box))
    }
    const keeper = await TestKeeper.open({ engine: quick })
    expect(await codeOf(putBack(keeper, { header: formatBase64url(writer.header), boxes }))).toBe('SNAPSHOT_INVALID')
    expect(readdirSync(keeper.stateDir)).toEqual([])
    expect([...(await everything(keeper.store)).keys()]).toEqual([])
  })

  it('is not restored where there is a persona, nor into a transfer that has ended', async () => {
    const { file, restored } = await story()
    const keeper = await restored()
    const { header, boxes } = file
    expect(await codeOf(keeper.call('restore.begin', { header, passphrase: PASSPHRASE }))).toBe('PERSONA_EXISTS')
    const other = await TestKeeper.open({ engine: quick })
    const { restore } = await other.call('restore.begin', { header, passphrase: PASSPHRASE })
    await other.call('restore.begin', { header, passphrase: PASSPHRASE })
    expect(await codeOf(other.call('restore.put', { restore, box: boxes[0]!, isLast: false }))).toBe('TRANSFER_ENDED')
    expect(await codeOf(other.call('backup.next', { backup: 99 }))).toBe('TRANSFER_ENDED')
  })

  it('is restored as a whole or not at all, whichever write the daemon is killed at', async () => {
    const { file, restored } = await story()
    const counting = await restored()
    const commits = counting.store.commits.length
    let [none, whole] = [0, 0]
    for (let killed = 0; killed <= commits; killed++) {
      let count = 0
      const store = openMemoryStore(() => (count++ >= killed ? Promise.reject(new Error('killed')) : Promise.resolve()))
      const keeper = await TestKeeper.open({ engine: quick, store, nowSec: counting.nowSec })
      await codeOf(putBack(keeper, file))
      // A new process opens a store with only the writes before the kill.
      const left = openMemoryStore()
      for (const writes of keeper.store.commits.slice(0, killed)) await left.commit(writes)
      const again = await TestKeeper.open({
        engine: quick,
        stateDir: keeper.stateDir,
        store: left,
        nowSec: counting.nowSec,
      })
      const found = await restorable(again.store)
      if (found.size === 0) {
        none++
        expect(again.custody.hasSecrets).toBe(false)
        expect(await codeOf(putBack(again, file))).toBe('done')
      } else {
        whole++
        expect(found).toEqual(await restorable(counting.store))
      }
    }
    expect(none).toBeGreaterThan(2)
    expect(whole).toBeGreaterThan(2)
  }, 60_000)
})

/** Marks its end too late. */
async function putBackLate(keeper: TestKeeper, { header, boxes }: BackupFile): Promise<void> {
  const { restore } = await keeper.call('restore.begin', { header, passphrase: PASSPHRASE })
  for (const box of boxes) await keeper.call('restore.put', { restore, box, isLast: false })
}

describe('after a restore', () => {
  const edit = (keeper: TestKeeper): Promise<string> =>
    codeOf(keeper.call('device.rename', { device: 'phone', name: 'mobile' }))

  it('nothing is signed, shown or signed again until a copy of the own blob was read (attack 24)', async () => {
    const { restored } = await story()
    const keeper = await restored()
    expect(await edit(keeper)).toBe('RESTORE_UNRECONCILED')
    expect(await codeOf(keeper.call('blob.get'))).toBe('RESTORE_UNRECONCILED')
    expect(await codeOf(keeper.later(30 * 86_400).keeper.resign())).toBe('RESTORE_UNRECONCILED')
    expect(keeper.keeper.resignDueSec()).toBeNull()
    expect((await keeper.call('status')).findings).toContainEqual(
      expect.objectContaining({ code: 'RESTORE_UNRECONCILED' }),
    )
    expect((await keeper.call('device.list')).seq).toBe(2)
  })

  it('signing is allowed once the phone has shown the table of today, and its later table is accepted', async () => {
    const { laptop, restored } = await story()
    const phone = await laptop.copied(OWN_PHONE)
    await phone.later(500).call('device.rename', { device: 'laptop', name: 'old laptop' })
    const keeper = await restored()
    await keeper.later(1).sees(OWN_PHONE, await ownText(phone))
    const { seq, devices } = await keeper.call('device.list')
    expect([seq, devices[0]!.name]).toEqual([3, 'old laptop'])
    expect(await edit(keeper)).toBe('done')
    expect((await keeper.call('device.list')).seq).toBe(4)
  })

  it('signing stays off after a short status of the own persona, which brings no table', async () => {
    const { restored } = await story()
    const keeper = await restored()
    const head = decodeStored(keeper.keeper.ownPersona().head!, keeper.keeper)
    const seen = await keeper.later(1).sees(OWN_PHONE, formatShort(shortOf(head, engine)!, engine))
    expect(seen).toMatchObject({ shown: 'valid', verdict: 'refresh', state: 'confirmed' })
    expect(await edit(keeper)).toBe('RESTORE_UNRECONCILED')
  })

  it('signing stays off after an older table, a table seen before the restore, or one that the own profile shows (attack 45)', async () => {
    const { laptop, oldText, restored } = await story()
    const keeper = await restored()
    await keeper.later(1).sees(OWN_PHONE, oldText)
    expect(await edit(keeper)).toBe('RESTORE_UNRECONCILED')
    await keeper.later(100).sees(OWN_PHONE, await ownText(laptop), { seenAtSec: START_SEC + 200 })
    expect(await edit(keeper)).toBe('RESTORE_UNRECONCILED')
    await keeper.later(100).reports(`profile:${OWN_LAPTOP}`, OWN_LAPTOP, await ownText(laptop))
    expect(await edit(keeper)).toBe('RESTORE_UNRECONCILED')
    await keeper.later(100).sees(OWN_PHONE, await ownText(laptop))
    expect(await edit(keeper)).toBe('done')
  })

  it('signing stays off if a friend shows an old text of the owner', async () => {
    const { laptop, restored } = await story()
    const keeper = await restored()
    const mallory = person('mallory').key('pc')
    await keeper.later(100).sees(mallory, await ownText(laptop))
    expect(await edit(keeper)).toBe('RESTORE_UNRECONCILED')
    await keeper.later(100).sees(OWN_PHONE, await ownText(laptop))
    expect(await edit(keeper)).toBe('done')
  })

  it('signing is allowed after the owner gives a copy, among texts without one; the table of another persona does not do', async () => {
    const { laptop, oldText, restored } = await story()
    const keeper = await restored()
    const bob = person('bob')
    const texts = ['words', 'persona:what', bob.table(['pc']).text(), oldText]
    expect(await keeper.call('persona.reconcile', { copies: texts })).toMatchObject({ waiting: true, copies: 1 })
    expect(await edit(keeper)).toBe('RESTORE_UNRECONCILED')
    const copies = [await ownText(laptop)]
    expect(await keeper.call('persona.reconcile', { copies })).toMatchObject({ waiting: false, copies: 1 })
    expect(await edit(keeper)).toBe('done')
  })

  it('the owner can continue without any copy at a far higher number, which needs the key', async () => {
    const { laptop, restored } = await story()
    const keeper = await restored()
    const locked = await keeper.reopened()
    expect(await codeOf(locked.call('persona.reconcile', { force: true }))).toBe('LOCKED')
    expect(await locked.call('persona.reconcile', {})).toMatchObject({ waiting: true, copies: 0 })
    await locked.call('persona.unlock', { passphrase: PASSPHRASE })
    const { waiting, table } = await locked.call('persona.reconcile', { force: true })
    expect([waiting, table.seq]).toEqual([false, 1002])
    expect(await edit(locked)).toBe('done')
    // Contacts who have seen a few tables more than the backup accept it.
    expect((await laptop.call('verify', { text: await ownText(locked) })).verdict).toBe('accept')
  })

  it('a removed device does not come back, neither through the backup nor through an older sibling (attack 25)', async () => {
    const { laptop } = await story()
    const source = await laptop.copied(OWN_LAPTOP)
    await source.later(10).call('device.remove', { device: 'phone' })
    const removed = await backupOf(source)
    const keeper = await TestKeeper.open({ engine: quick, nowSec: source.nowSec + 100 })
    await putBack(keeper, removed)
    await keeper.call('persona.reconcile', { copies: [await ownText(source)] })
    await keeper.later(60).sees(OWN_PHONE, await ownText(laptop))
    expect((await keeper.call('device.list')).devices.map(({ key }) => key)).toEqual([OWN_LAPTOP])
    const again = codeOf(keeper.call('device.add', { name: 'phone', key: OWN_PHONE }))
    expect(await again).toBe('DEVICE_TOMBSTONED')
  })
})

import { describe, expect, it } from 'vitest'
import { concatBytes, encodeUtf8, formatBase64url, parseBase64url, u32be } from '../../../../src/core/encoding/bytes.ts'
import { backupKeyOf, BackupOpener, BackupSealer, newBackupKey } from '../../../../src/crypto/sealed-stream.ts'
import { MIN_SEAL_COST } from '../../../../src/crypto/sealing.ts'
import { backupHandlers } from '../../../../src/daemon/snapshot/methods.ts'
import { OWN_LAPTOP, TestKeeper } from '../../../support/keeper.ts'
import { quickEngine as engine } from '../../../support/quick-engine.ts'
import { NOTES, TestSealed } from '../../../support/sealed.ts'

const passphrase = 'correct horse battery staple'

interface Backup {
  readonly header: string
  readonly boxes: { box: string; isLast: boolean }[]
}

async function withNotes(notes: Record<string, string>): Promise<TestSealed> {
  const keeper = await TestKeeper.open({ engine })
  await keeper.call('persona.init', { device: { name: 'laptop', key: OWN_LAPTOP } })
  const test = await TestSealed.over(keeper, { engine })
  await test.put('a', 'of this device')
  await keeper.keeper.change(() => {
    for (const [id, text] of Object.entries(notes)) test.sealed.records.inChange(NOTES).put(id, text)
  })
  return test
}

function handlers(test: TestSealed): ReturnType<typeof backupHandlers> {
  return backupHandlers(test.test.keeper, test.sealed.arrived)
}

const CALLER = {} as never

async function backedUp(test: TestSealed): Promise<Backup> {
  const backup = handlers(test)
  const { backup: id, header } = await backup['backup.begin']({ passphrase }, CALLER)
  const boxes: Backup['boxes'] = []
  for (let isLast = false; !isLast;) {
    const chunk = await backup['backup.next']({ backup: id }, CALLER)
    boxes.push({ box: chunk.box, isLast: chunk.isLast })
    isLast = chunk.isLast
  }
  return { header, boxes }
}

async function restored(test: TestSealed, { header, boxes }: Backup): Promise<void> {
  const restore = handlers(test)
  const { restore: id } = await restore['restore.begin']({ header, passphrase }, CALLER)
  for (const { box, isLast } of boxes) await restore['restore.put']({ restore: id, box, isLast }, CALLER)
}

function notesOf(test: TestSealed): Promise<(readonly [string, string])[]> {
  return Array.fromAsync(test.sealed.records.onDisk(NOTES).iterate())
}

async function waiting(test: TestSealed): Promise<string[]> {
  const entries = await Array.fromAsync(test.test.store.iterate({ prefix: 'sealed/arriving/' }))
  return entries.map(({ key }) => key)
}

/** The whole content of a backup. */
async function contentOf({ header, boxes }: Backup): Promise<Uint8Array> {
  const opener = new BackupOpener(await backupKeyOf(parseBase64url(header)!, passphrase, engine), engine)
  return concatBytes(...boxes.map(({ box, isLast }) => opener.open(parseBase64url(box)!, isLast)))
}

/** A backup whose secrets of apps are these, as somebody makes it who knows the format. */
async function forged(backup: Backup, more: Uint8Array, length: number = more.length): Promise<Backup> {
  const content = await contentOf(backup)
  const keysEnd = 1 + content[0]! * 33
  const snapshotAt = content.indexOf('{'.charCodeAt(0), keysEnd)
  const whole = concatBytes(content.subarray(0, keysEnd), u32be(length), more, content.subarray(snapshotAt))
  const { header, key } = await newBackupKey(passphrase, MIN_SEAL_COST, engine, 2)
  const box = new BackupSealer(key, engine).seal(whole, true)
  return { header: formatBase64url(header), boxes: [{ box: formatBase64url(box), isLast: true }] }
}

function entry(kind: string, id: string, value: string | Uint8Array): Uint8Array {
  const [kindBytes, idBytes, bytes] = [kind, id, value].map((one) => (typeof one === 'string' ? encodeUtf8(one) : one))
  const heads = [Uint8Array.of(kindBytes!.length), Uint8Array.of(idBytes!.length >> 8, idBytes!.length & 255)]
  return concatBytes(heads[0]!, kindBytes!, heads[1]!, idBytes!, u32be(bytes!.length), bytes!)
}

describe('a backup', () => {
  it('takes along the sealed records of the kinds that travel, and no other', async () => {
    const old = await withNotes({ a: 'first', b: 'second' })
    const backup = await backedUp(old)
    expect(parseBase64url(backup.header)![8]).toBe(2)
    const content = Buffer.from(await contentOf(backup))
    expect([content.includes('second'), content.includes('of this device')]).toStrictEqual([true, false])
    const test = await TestSealed.open({ engine })
    await test.test.keeper.change(() => test.sealed.records.inChange(NOTES).put('b', 'here'))
    await restored(test, backup)
    const notes = [
      ['a', 'first (restored)'],
      ['b', 'second (restored over here)'],
    ]
    expect(await notesOf(test)).toStrictEqual(notes)
    expect(await waiting(test)).toStrictEqual([])
    const next = await test.reopened()
    await next.test.call('persona.unlock', { passphrase })
    expect(await notesOf(next)).toStrictEqual(notes)
  })

  it('without such records is one that earlier versions read', async () => {
    const backup = await backedUp(await withNotes({}))
    expect(parseBase64url(backup.header)![8]).toBe(1)
    const test = await TestSealed.open({ engine })
    await restored(test, backup)
    expect(test.test.keeper.hasPersona).toBe(true)
  })

  it('may have more of them than one box', async () => {
    const texts = Object.fromEntries(
      Array.from({ length: 26 }, (_, i) => [String.fromCharCode(97 + i), 'x'.repeat(9000 + i)]),
    )
    const backup = await backedUp(await withNotes(texts))
    expect(backup.boxes.length).toBeGreaterThan(4)
    const test = await TestSealed.open({ engine })
    await restored(test, backup)
    expect(await notesOf(test)).toStrictEqual(Object.entries(texts).map(([id, text]) => [id, `${text} (restored)`]))
  })

  it.each([
    ['a kind that is not known', entry('other', 'a', 'x'), 'SNAPSHOT_UNKNOWN_KIND'],
    ['a kind that does not travel', entry('text', 'a', 'x'), 'SNAPSHOT_UNKNOWN_KIND'],
    ['the kind of those that wait', entry('arriving', 'note/a', 'x'), 'SNAPSHOT_UNKNOWN_KIND'],
    ['an id that its kind refuses', entry('note', 'A', 'x'), 'SNAPSHOT_INVALID'],
    ['a value that its kind refuses', entry('note', 'a', 'bad'), 'SNAPSHOT_INVALID'],
    ['an id without characters', entry('note', '', 'x'), 'SNAPSHOT_INVALID'],
    ['one twice', concatBytes(entry('note', 'a', 'x'), entry('note', 'a', 'y')), 'SNAPSHOT_INVALID'],
    ['half a record', entry('note', 'a', 'x').slice(0, -1), 'SNAPSHOT_INVALID'],
    ['a record that is too large', entry('note', 'a', new Uint8Array((256 << 10) + 1)), 'SNAPSHOT_INVALID'],
  ])('with %s is refused, and leaves nothing', async (_, more, code) => {
    const test = await TestSealed.open({ engine })
    const backup = await backedUp(await withNotes({ a: 'first' }))
    if (more.length > 40_000) return expect(test.sealed.arrived.read(more)).toBe('damaged')
    await expect(restored(test, await forged(backup, more))).rejects.toMatchObject({ code })
    expect([test.test.keeper.hasPersona, await waiting(test), await notesOf(test)]).toStrictEqual([false, [], []])
    // The same content with a right record is taken.
    await restored(test, await forged(backup, entry('note', 'z', 'right')))
    expect(await notesOf(test)).toStrictEqual([['z', 'right (restored)']])
  })

  it('that claims more secrets than the limit is refused before they are kept', async () => {
    const test = await TestSealed.open({ engine })
    const backup = await backedUp(await withNotes({ a: 'first' }))
    const large = await forged(backup, entry('note', 'a', 'x'), (2 << 20) + 1)
    await expect(restored(test, large)).rejects.toMatchObject({ code: 'SNAPSHOT_INVALID' })
    // Cut off in the middle of them.
    const cut = await forged(backup, entry('note', 'a', 'x'), 1 << 20)
    await expect(restored(test, cut)).rejects.toMatchObject({ code: 'SNAPSHOT_CUT' })
  })
})

describe('arrived records that a crash left', () => {
  it('are discarded where the persona did not come', async () => {
    const test = await TestSealed.open({ engine })
    const read = test.sealed.arrived.read(entry('note', 'a', 'x'))
    if (typeof read === 'string') throw new Error(read)
    await read.keep()
    expect(await waiting(test)).toHaveLength(1)
    const next = await test.reopened()
    await next.sealed.arrived.take()
    expect([await waiting(next), await notesOf(next)]).toStrictEqual([[], []])
  })

  it('are taken at the next opening where it came', async () => {
    const keeper = await TestKeeper.open({ engine })
    await keeper.call('persona.init', { device: { name: 'laptop', key: OWN_LAPTOP }, passphrase })
    const test = await TestSealed.over(keeper, { engine })
    const read = test.sealed.arrived.read(entry('note', 'a', 'x'))
    if (typeof read === 'string') throw new Error(read)
    await read.keep()
    const next = await test.reopened()
    await next.sealed.arrived.take()
    expect(await waiting(next)).toHaveLength(1)
    await next.test.call('persona.unlock', { passphrase })
    await next.sealed.arrived.take()
    expect([await waiting(next), await notesOf(next)]).toStrictEqual([[], [['a', 'x (restored)']]])
  })
})

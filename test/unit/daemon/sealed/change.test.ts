import { readFileSync } from 'node:fs'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { openSlot, readSlots, SLOT_BYTES, type StoredKey } from '../../../../src/daemon/sealed/key-file.ts'
import { KeyRing } from '../../../../src/daemon/sealed/key-ring.ts'
import { scheduleKeyChange } from '../../../../src/daemon/sealed/timer.ts'
import { openMemoryStore } from '../../../../src/store/memory-store.ts'
import { OWN_LAPTOP, TestKeeper, WriteGate } from '../../../support/keeper.ts'
import { quickEngine as engine } from '../../../support/quick-engine.ts'
import { TestSealed } from '../../../support/sealed.ts'

const DAY = 86_400
/** Lets input and output go on. */
const turn = (): Promise<void> => new Promise((done) => setImmediate(done))
const passphrase = 'correct horse battery staple'

/** The keys that a thief of the disk of a daemon without a persona finds. */
async function keysOnDisk(test: TestSealed): Promise<StoredKey[]> {
  const keys = (await readSlots(test.file))!.map((slot) =>
    slot.state === 'sealed' ? openSlot(slot.file, { mode: 'unsealed' }, engine) : null,
  )
  return keys.filter((key) => key !== null)
}

async function opensOnDisk(test: TestSealed, name: string, value: Uint8Array): Promise<boolean> {
  const ring = new KeyRing(
    (await keysOnDisk(test)).map((key, place) => ({ ...key, place, sealer: 'unsealed' })),
    engine,
  )
  return ring.open(name, value.slice(1)) !== null
}

describe('the daily change', () => {
  it.each([
    [DAY - 1, false],
    [DAY, true],
    [-DAY + 1, false],
    [-DAY, true],
  ])('is due %i s after the key was drawn: %s', async (sec, isDue) => {
    const test = await TestSealed.open({ engine })
    test.test.later(sec)
    expect(test.sealed.key.isDue()).toBe(isDue)
    const before = readFileSync(test.file)
    await test.sealed.change.run()
    expect(readFileSync(test.file).equals(before)).toBe(!isDue)
  })

  it('keeps every record, and leaves one other key on disk', async () => {
    const test = await TestSealed.open({ engine })
    const texts = Array.from({ length: 700 }, (_, i): [string, string] => [String(1000 + i), `text ${i}`])
    await test.inChange((records) => {
      for (const [id, text] of texts) records.put(id, text)
    })
    const [old] = await keysOnDisk(test)
    await test.test.later(DAY).keeper.change(() => {})
    await test.sealed.change.run()
    expect(await test.all()).toStrictEqual(texts)
    const [key, ...more] = await keysOnDisk(test)
    expect(more).toStrictEqual([])
    expect(key!.id).not.toStrictEqual(old!.id)
    expect(key!.number).toBe(2)
    expect(
      readFileSync(test.file)
        .subarray(0, SLOT_BYTES)
        .every((byte) => byte === 0),
    ).toBe(true)
    const next = await test.reopened()
    expect(await next.all()).toStrictEqual(texts)
  })

  it('makes what was deleted unreadable: no key on disk opens it any more', async () => {
    const test = await TestSealed.open({ engine })
    await test.put('a', 'said in confidence')
    await test.put('b', 'kept')
    const deleted = test.test.store.get('sealed/text/a')!
    await test.inChange((texts) => texts.delete('a'))
    // Until the change the old value, which LevelDB may keep for long, still opens.
    expect(await opensOnDisk(test, 'text/a', deleted)).toBe(true)
    await test.test.later(DAY).keeper.change(() => {})
    await test.sealed.change.run()
    expect(await opensOnDisk(test, 'text/a', deleted)).toBe(false)
    expect(await opensOnDisk(test, 'text/b', test.test.store.get('sealed/text/b')!)).toBe(true)
  })

  it('does not hold up other writers, and loses none of their writes', async () => {
    const test = await TestSealed.open({ engine })
    await test.inChange((texts) => {
      for (let i = 0; i < 600; i++) texts.put(String(1000 + i), 'old')
    })
    test.test.later(DAY)
    const early = test.put('1000', 'early')
    const change = test.sealed.change.run()
    let writes = 0
    const over = new AbortController()
    void change.finally(() => over.abort())
    while (!over.signal.aborted) {
      const id = String(1001 + (writes++ % 598))
      // A change that takes many turns comes to each record again. Then every other one goes, so that some stay to be counted.
      const isKept = writes % 2 === 0
      await test.inChange((texts) => (texts.get(id) === 'old' || isKept ? texts.put(id, 'new') : texts.delete(id)))
      // The memory store answers without one.
      await turn()
    }
    await Promise.all([early, change])
    expect(writes).toBeGreaterThan(3)
    expect(test.get('1000')).toBe('early')
    expect(test.get('1599')).toBe('old')
    const next = await test.reopened()
    const found = await next.all()
    expect(found).toStrictEqual(await test.all())
    expect(found.filter(([, text]) => text === 'new').length).toBeGreaterThan(0)
    expect(next.codes).toStrictEqual(['APPS_KEY'])
  })

  it('waits for records that the old key sealed and that are on their way to disk', async () => {
    const gate = new WriteGate()
    const test = await TestSealed.open({ engine, store: openMemoryStore(gate.pass) })
    test.test.later(DAY)
    gate.shut()
    const early = test.put('a', 'early')
    await gate.arrived()
    const change = test.sealed.change.run()
    while (test.sealed.key.ring().old === null) await turn()
    await turn()
    gate.open()
    await Promise.all([early, change])
    expect(test.sealed.key.ring().old).toBeNull()
    expect(test.get('a')).toBe('early')
  })

  it('stops when the key closes, and goes on after the unlock', async () => {
    const gate = new WriteGate()
    const keeper = await TestKeeper.open({ engine, store: openMemoryStore(gate.pass) })
    await keeper.call('persona.init', { device: { name: 'laptop', key: OWN_LAPTOP }, passphrase })
    const test = await TestSealed.over(keeper, { engine, setting: 'locked' })
    await test.inChange((texts) => {
      for (let i = 0; i < 600; i++) texts.put(String(1000 + i), 'old')
    })
    keeper.later(DAY)
    await keeper.call('persona.unlock', { passphrase })
    gate.shut()
    const change = test.sealed.change.run()
    await gate.arrived()
    keeper.custody.lock('request')
    gate.open()
    await change
    expect(test.sealed.key.isOpen).toBe(false)
    await keeper.call('persona.unlock', { passphrase })
    expect(test.sealed.key.ring().old).not.toBeNull()
    expect(await test.all()).toHaveLength(600)
    await test.sealed.change.run()
    expect(test.sealed.key.ring().old).toBeNull()
    expect(await test.all()).toHaveLength(600)
  })

  it('goes on with the signing key locked under the setting "unlock"', async () => {
    const keeper = await TestKeeper.open({ engine })
    await keeper.call('persona.init', { device: { name: 'laptop', key: OWN_LAPTOP }, passphrase })
    const test = await TestSealed.over(keeper, { engine })
    await test.put('a', 'a state')
    keeper.custody.lock('request')
    keeper.later(DAY)
    await test.sealed.change.run()
    expect(test.sealed.key.isDue()).toBe(false)
    const next = await test.reopened()
    await next.test.call('persona.unlock', { passphrase })
    expect(next.get('a')).toBe('a state')
  })
})

describe('the timer of the daily change', () => {
  afterEach(() => vi.useRealTimers())

  it('looks each minute, and waits an hour after a failure', async () => {
    vi.useFakeTimers()
    let [isDue, runs, settles] = [false, 0, 0]
    const key = { isDue: () => isDue, settle: () => Promise.resolve(void settles++) }
    const run = (): Promise<void> => (++runs === 1 ? Promise.reject(new Error('full')) : Promise.resolve())
    const warned: string[] = []
    const stop = scheduleKeyChange(key, { run }, { warn: (event) => void warned.push(event) })
    await vi.advanceTimersByTimeAsync(180_000)
    expect([settles, runs]).toStrictEqual([3, 0])
    isDue = true
    await vi.advanceTimersByTimeAsync(60_000)
    expect([runs, warned]).toStrictEqual([1, ['apps.change']])
    await vi.advanceTimersByTimeAsync(3_600_000)
    expect(runs).toBe(1)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(runs).toBe(2)
    stop()
    await vi.advanceTimersByTimeAsync(600_000)
    expect(runs).toBe(2)
  })
})

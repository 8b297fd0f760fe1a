/** The disk of a closed channel: a day later no key and no content is found in the files, also not in what LevelDB keeps of old records. */
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { loadEnd } from '../../../../src/daemon/channels/ends/end-state.ts'
import { openSlot, readSlots } from '../../../../src/daemon/sealed/key-file.ts'
import { KeyRing } from '../../../../src/daemon/sealed/key-ring.ts'
import { openLevelStore } from '../../../../src/store/level-store.ts'
import { lockStateDir } from '../../../../src/store/lock.ts'
import { createStateDir } from '../../../../src/store/state-dir.ts'
import type { Store } from '../../../../src/store/store.ts'
import { filesBelow, formsOf } from '../../../support/canary.ts'
import { ChannelDaemon, openChannel, settle } from '../../../support/channel-daemon.ts'
import { MemoryPost } from '../../../support/memory-carrier.ts'
import { quickEngine as engine } from '../../../support/quick-engine.ts'
import { tempDir } from '../../../support/temp-dir.ts'

const DAY_MS = 86_400_000
const CANARY = 'the lamp is on the stairs'

/** All keys in a value, at any depth. */
function keysIn(value: unknown): Uint8Array[] {
  if (value instanceof Uint8Array) return value.length >= 32 ? [value] : []
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(keysIn) : []
}

/** A store that keeps each sealed value that was ever written to it. */
function remembering(store: Store, written: { name: string; value: Uint8Array }[]): Store {
  return {
    get: (key) => store.get(key),
    iterate: (range) => store.iterate(range),
    close: () => store.close(),
    commit: (writes) => {
      for (const { key, value } of writes)
        // Without the version of the record.
        if (key.startsWith('sealed/channel') && value !== null)
          written.push({ name: key.slice('sealed/'.length), value: value.slice(1) })
      return store.commit(writes)
    },
  }
}

it('a day after a channel was closed, no key on disk opens any version of its records, and no key of it is found', async () => {
  const stateDir = join(tempDir(), 'state')
  await createStateDir(stateDir)
  const lock = await lockStateDir(stateDir)
  const written: { name: string; value: Uint8Array }[] = []
  const store = remembering(await openLevelStore(lock), written)
  const post = new MemoryPost()
  const host = await ChannelDaemon.open(post, { engine, stateDir, store })
  const guest = await ChannelDaemon.open(post)
  const { hostId, guestId } = await openChannel(post, host, guest)
  const keys: Uint8Array[] = []
  for (let round = 0; round < 5; round++) {
    await host.call('channel.send', { id: hostId, text: CANARY })
    await guest.call('channel.send', { id: guestId, text: CANARY })
    await settle(post, host, guest)
    const { channel } = loadEnd(hostId, host.sealed.records)!
    keys.push(...keysIn([channel.keys, channel.headerKeys]))
  }
  const secrets = [...keys.flatMap(formsOf), Buffer.from(CANARY)]
  expect(secrets.length).toBeGreaterThan(50)

  /** As a thief of the disk reads it: what the keys in its files open of all that was ever written. */
  const opened = async (): Promise<Uint8Array[]> => {
    const files = filesBelow(stateDir)
    const slots = (await readSlots(join(stateDir, 'apps')))!
    const found = slots.flatMap((slot) =>
      slot.state === 'sealed' ? (openSlot(slot.file, { mode: 'unsealed' }, engine) ?? []) : [],
    )
    const ring = new KeyRing(
      found.map((key, place) => ({ ...key, place, sealer: 'unsealed' as const })),
      engine,
    )
    const onDisk = written.filter(({ value }) => files.some((file) => file.includes(Buffer.from(value))))
    expect(onDisk.length).toBeGreaterThan(20)
    return [...files, ...onDisk.flatMap(({ name, value }) => ring.open(name, value) ?? [])]
  }
  const areFound = async (): Promise<boolean> => {
    const texts = (await opened()).map((bytes) => Buffer.from(bytes))
    return secrets.some((secret) => texts.some((text) => text.includes(secret)))
  }
  expect(await areFound()).toBe(true)

  await host.call('channel.close', { id: hostId })
  await settle(post, host, guest)
  await host.call('channel.ack', { id: hostId, upTo: 5 })
  host.later(DAY_MS)
  await settle(post, host, guest)
  await host.sealed.change.run()
  expect(await areFound()).toBe(false)
  await host.runner.close()
  await store.close()
  await lock.release()
})

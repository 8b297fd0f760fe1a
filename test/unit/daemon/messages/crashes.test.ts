/** A crash at any write loses no message and tells none twice, and nothing is acknowledged before it is on disk (docs/messages.md, section 8). */
import { expect, test } from 'vitest'
import { openMemoryStore } from '../../../../src/store/memory-store.ts'
import { CrashingStore } from '../../../support/crashing-store.ts'
import { makeContacts, MessageDaemon } from '../../../support/message-daemon.ts'
import { MessageWorld } from '../../../support/message-world.ts'

const MAX_COMMITS = 60 // of one message at one end; it takes some 10

interface Pair {
  readonly world: MessageWorld
  readonly alice: MessageDaemon
  readonly bob: MessageDaemon
}

async function pairOn(stores: { readonly alice?: CrashingStore; readonly bob?: CrashingStore }): Promise<Pair> {
  const world = new MessageWorld()
  const [alices, bobs] = [await world.relay('alice'), await world.relay('bob')]
  const of = (store: CrashingStore | undefined) => (store === undefined ? {} : { store })
  const alice = await MessageDaemon.open(world, 'Alice', [alices], of(stores.alice))
  const bob = await MessageDaemon.open(world, 'Bob', [bobs], of(stores.bob))
  await makeContacts(alice, bob)
  await alice.use()
  await bob.use()
  await world.settle()
  return { world, alice, bob }
}

test('of a recipient', async () => {
  let crashes = 0
  for (let commits = 1; commits < MAX_COMMITS; commits++) {
    const disk = new CrashingStore(openMemoryStore())
    const { world, alice, bob } = await pairOn({ bob: disk })
    disk.crashAfter(commits)
    const number = await alice.send(bob, 'one')
    await world.until(async () => disk.isDead || (await alice.sent(number))!.state === 'received')
    if (!disk.isDead) break
    crashes++
    disk.revive()
    const back = await bob.restarted()
    await alice.send(back, 'two')
    await back.arrived(2)
    await world.later(60)
    const texts = await back.texts()
    expect([commits, texts.toSorted()]).toEqual([commits, ['one', 'two']])
    await alice.untilSent(number, 'received')
  }
  expect(crashes).toBeGreaterThan(2)
}, 120_000)

test('of a sender', async () => {
  let crashes = 0
  for (let commits = 1; commits < MAX_COMMITS; commits++) {
    const disk = new CrashingStore(openMemoryStore())
    const { world, alice, bob } = await pairOn({ alice: disk })
    disk.crashAfter(commits)
    const put = await alice.send(bob, 'one', 'the key of one').catch(() => null)
    await world.later(5)
    if (!disk.isDead) break
    crashes++
    disk.revive()
    const back = await alice.restarted()
    // The app does not know whether the call was heard.
    const number = await back.send(bob, 'one', 'the key of one')
    if (put !== null) expect([commits, number]).toEqual([commits, put])
    await back.untilSent(number, 'received')
    expect([commits, await bob.texts()]).toEqual([commits, ['one']])
    await world.later(5)
    expect([commits, [...world.relays.values()].flatMap(({ objects }) => objects)]).toEqual([commits, []])
  }
  expect(crashes).toBeGreaterThan(2)
}, 120_000)

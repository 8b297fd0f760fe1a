/** Records on the disk that no key opens: a sealed value under the name of another one, as damage or somebody at the disk leaves it. */
import { expect, test } from 'vitest'
import { ARRIVED_PART, COUNTS, SEALED_KINDS, SENT } from '../../../../src/daemon/messages/records/kinds.ts'
import type { SealedKind } from '../../../../src/daemon/sealed/sealed-kind.ts'
import { twoPeople, type MessageDaemon } from '../../../support/message-daemon.ts'

/** Gives each record of these kinds the sealed value of the next one. The one of a single record is cut. */
async function exchange({ test: { keeper } }: MessageDaemon, kinds: readonly SealedKind<unknown>[]): Promise<number> {
  const { sealed } = keeper.onDisk
  const found: (readonly [string, Uint8Array])[] = []
  for (const { name } of kinds) found.push(...(await Array.fromAsync(sealed.iterate({ prefix: `${name}/` }))))
  await keeper.change(() => {
    for (const [i, [name, value]] of found.entries()) {
      const other = found.length === 1 ? value.subarray(0, value.length - 1) : found[(i + 1) % found.length]![1]
      keeper.state.stage(keeper.state.records.sealed.put(name, other))
    }
  })
  return found.length
}

test('a daemon whose records of messages are all exchanged starts, and messages go and come', async () => {
  const { world, alices, alice, bob } = await twoPeople()
  await alice.send(bob, 'before')
  await bob.send(alice, 'before')
  await Promise.all([alice.arrived(1), bob.arrived(1)])
  alices.isDown = true
  await alice.send(bob, 'on its way')
  await world.settle()
  expect(await exchange(alice, SEALED_KINDS)).toBeGreaterThan(8)
  alices.isDown = false
  const back = await alice.restarted()
  expect([back.messages.isOpen, await back.texts()]).toEqual([true, []])
  const number = await back.send(bob, 'after')
  await back.untilSent(number, 'received')
  await bob.send(back, 'after')
  expect(await back.arrived(1)).toEqual(['after'])
})

test('a message whose content no key opens is told as failed, and the next one is read', async () => {
  const { alice, bob } = await twoPeople()
  await alice.send(bob, 'damaged')
  await bob.arrived(1)
  await exchange(bob, [ARRIVED_PART])
  const back = await bob.restarted()
  await alice.send(back, 'whole')
  expect(await back.arrived(2)).toEqual(['MESSAGE_DAMAGED', 'whole'])
})

test('numbers go on where no key opens the last ones', async () => {
  const { alice, bob } = await twoPeople()
  for (const text of ['one', 'two']) await alice.untilSent(await alice.send(bob, text), 'received')
  await exchange(bob, [COUNTS])
  await exchange(alice, [COUNTS])
  const [alicesNow, bobsNow] = [await alice.restarted(), await bob.restarted()]
  expect(await bobsNow.texts()).toEqual(['one', 'two'])
  expect(await alicesNow.send(bobsNow, 'three')).toBe(3)
  expect(await bobsNow.arrived(3)).toEqual(['one', 'two', 'three'])
})

test('a sent message of which no key opens the record is not sent', async () => {
  const { world, alices, alice, bob } = await twoPeople()
  alices.isDown = true
  await alice.send(bob, 'lost')
  await world.settle()
  await exchange(alice, [SENT])
  alices.isDown = false
  const back = await alice.restarted()
  await back.untilSent(await back.send(bob, 'next'), 'received')
  expect(await bob.texts()).toEqual(['next'])
})

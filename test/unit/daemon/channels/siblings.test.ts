/** Siblings who have no store in common each sign cards without the other's entry. The peers that both meet bring their cards together. */
import { describe, expect, it } from 'vitest'
import { formatHex } from '../../../../src/core/encoding/bytes.ts'
import type { DaemonEvent } from '../../../../src/ipc/methods/events.ts'
import { ChannelDaemon, openChannel, settle } from '../../../support/channel-daemon.ts'
import { MemoryCarrier, MemoryPost } from '../../../support/memory-carrier.ts'
import { forgeCard, ownAppOf, ownCardOf, sigsOf } from '../../../support/own-cards.ts'
import { siblings } from '../../../support/rotation.ts'

const DAY_MS = 86_400_000

interface Apart {
  readonly post: MemoryPost
  readonly laptop: ChannelDaemon
  readonly phone: ChannelDaemon
  readonly bob: ChannelDaemon
}

async function apart(): Promise<Apart> {
  const post = new MemoryPost()
  const { laptop, phone } = await siblings()
  const daemons = {
    laptop: await ChannelDaemon.over(laptop, new MemoryCarrier(post)),
    phone: await ChannelDaemon.over(phone, new MemoryCarrier(post)),
    bob: await ChannelDaemon.open(post),
  }
  for (const { test, cards, runner } of Object.values(daemons))
    test.onEvent = (event) => {
      cards.onEvent(event)
      runner.onEvent(event)
    }
  return { post, ...daemons }
}

/** Everything that waits is done, at all three. */
async function quiet({ post, laptop, phone, bob }: Apart): Promise<void> {
  const all = [laptop, phone, bob]
  for (let round = 0; round < 4; round++) {
    await settle(post, ...all)
    for (const each of all) {
      await each.cards.idle()
      each.later(1000)
    }
  }
  await settle(post, ...all)
}

/** Signs so many cards alone, one a week, and has no peer meanwhile. */
async function signsAlone(daemon: ChannelDaemon, weeks: number): Promise<void> {
  await daemon.cards.identity('chat')
  for (let week = 0; week < weeks; week++) {
    daemon.later(7 * DAY_MS)
    await daemon.cards.mine.update()
  }
  expect(ownCardOf(daemon).seq).toBe(1 + weeks)
}

async function statesAtBob({ bob }: Apart): Promise<string[]> {
  return (await bob.call('channel.list', {})).channels.map(({ state }) => state)
}

/** The cards of all three list both devices, and contents go both ways. */
async function areTogether(story: Apart): Promise<void> {
  const { post, laptop, phone, bob } = story
  const sigs = [laptop, phone].map(({ test }) => ownAppOf(test).sig).toSorted()
  expect(await statesAtBob(story)).toEqual(['open', 'open'])
  for (const each of [laptop, phone]) expect(sigsOf(ownCardOf(each)).toSorted()).toEqual(sigs)
  for (const { id } of (await bob.call('channel.list', {})).channels) await bob.call('channel.send', { id, text: 'hi' })
  await settle(post, laptop, phone, bob)
  for (const each of [laptop, phone]) {
    const [channel] = (await each.call('channel.list', {})).channels
    expect(await each.texts(channel!.id)).toEqual(['hi'])
  }
}

describe('two siblings without a store in common', () => {
  it.each([
    { title: 'a first card each', weeks: [0, 0] },
    { title: 'the card of the one that the peer meets last is much older', weeks: [3, 0] },
    { title: 'the one that the peer meets last is far ahead', weeks: [0, 3] },
  ] as const)('stand in one card after both met one peer: $title', async ({ weeks }) => {
    const story = await apart()
    const { post, laptop, phone, bob } = story
    await signsAlone(laptop, weeks[0])
    await signsAlone(phone, weeks[1])
    for (const each of [laptop, phone]) {
      await openChannel(post, each, bob)
      await quiet(story)
    }
    await areTogether(story)
  })

  it('stay in one card when each signs again, and while one is away for weeks', async () => {
    const story = await apart()
    const { post, laptop, phone, bob } = story
    for (const each of [laptop, phone]) await openChannel(post, each, bob)
    await quiet(story)
    for (let week = 0; week < 3; week++) {
      for (const each of [laptop, bob]) each.later(7 * DAY_MS + 1000)
      await laptop.cards.mine.update()
      await settle(post, laptop, bob)
    }
    phone.later(3 * (7 * DAY_MS + 1000))
    await quiet(story)
    await areTogether(story)
  })
})

it('a card that is signed again after a week reaches the peer by the channel', async () => {
  const { post, laptop, bob } = await apart()
  await openChannel(post, laptop, bob)
  for (const each of [laptop, bob]) each.later(7 * DAY_MS)
  laptop.cards.onEvent({ event: 'locked', data: { locked: false } } as DaemonEvent)
  await laptop.cards.idle()
  await settle(post, laptop, bob)
  await bob.cards.idle()
  const card = ownCardOf(laptop)
  expect(card.seq).toBe(2)
  expect(bob.cards.newest(formatHex(card.chain.personaId), 'chat')).toBe(card.text)
})

describe('a device whose card a newer one does not know', () => {
  it('is unconfirmed for seven days, and then suspended', async () => {
    const story = await apart()
    const { post, laptop, phone, bob } = story
    await openChannel(post, laptop, bob)
    await phone.runner.close()
    await bob.test.keeper.change(() => bob.cards.meet(forgeCard(phone.test, { seq: 5 })))
    await bob.cards.idle()
    await bob.idle()
    await laptop.runner.close()
    expect(await statesAtBob(story)).toEqual(['unconfirmed'])
    bob.later(7 * DAY_MS)
    await bob.idle()
    expect(await statesAtBob(story)).toEqual(['suspended'])
  })
})

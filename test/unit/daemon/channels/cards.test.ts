/** Ends and their personas: an end that the newest card does not list, or whose persona the owner blocks, is suspended (docs/channel.md, section 9). */
import { describe, expect, it } from 'vitest'
import { channelFindings, channelsStatus } from '../../../../src/daemon/channels/findings.ts'
import { HELD_MS } from '../../../../src/daemon/channels/ends/summary.ts'
import { ChannelDaemon, openChannel, settle, type TwoDaemons } from '../../../support/channel-daemon.ts'
import { OWN_LAPTOP, ownText } from '../../../support/keeper.ts'
import { MemoryCarrier, MemoryPost } from '../../../support/memory-carrier.ts'
import { forgeCard, ownCardOf } from '../../../support/own-cards.ts'
import { rotates, withWords } from '../../../support/rotation.ts'

const DAY_MS = 86_400_000

interface Story extends TwoDaemons {
  readonly post: MemoryPost
  readonly words: string
}

/** Alice, who shows her persona, and Bob, who has her as a contact. */
async function met(): Promise<Story> {
  const post = new MemoryPost()
  const { laptop, words } = await withWords()
  const host = await ChannelDaemon.over(laptop, new MemoryCarrier(post))
  const guest = await ChannelDaemon.open(post)
  for (const each of [host, guest]) hearsEvents(each)
  await guest.test.sees(OWN_LAPTOP, await ownText(laptop), { name: 'Alice' })
  return { post, words, ...(await openChannel(post, host, guest)) }
}

/** As in the daemon. */
function hearsEvents({ test, cards, runner }: ChannelDaemon): void {
  test.onEvent = (event) => {
    cards.onEvent(event)
    runner.onEvent(event)
  }
}

/** Bob gets a card of Alice that lists these devices. */
async function listed({ host, guest }: Story, seq: number, devices: 'laptop' | 'none'): Promise<void> {
  const { devices: all } = ownCardOf(host)
  await guest.cards.take(forgeCard(host.test, { seq, devices: devices === 'none' ? [] : all }))
  await guest.cards.idle()
  await guest.idle()
}

/** Alice has rotated, and Bob has seen her table but no card of it. */
async function rotatesUnseen(story: Story): Promise<void> {
  const { host, guest, words } = story
  host.test.later(100)
  guest.test.later(100)
  story.post.isAway = true
  await rotates(host.test, words, { epoch: 1 })
  await guest.test.sees(OWN_LAPTOP, await ownText(host.test))
  await guest.cards.idle()
}

async function stateOf({ guest, guestId }: Story): Promise<unknown> {
  const { state, reason } = await guest.call('channel.show', { id: guestId })
  return [state, reason]
}

describe('an end that the newest card of its persona does not list', () => {
  it('is suspended: nothing is sent to it, nothing of it reaches the app, and the app gets an event', async () => {
    const story = await met()
    const { post, host, guest, hostId, guestId } = story
    guest.test.events.length = 0
    await listed(story, 2, 'none')
    expect(guest.test.told('channel.changed')).toEqual([
      { id: guestId, app: 'chat', state: 'suspended', reason: 'CARD' },
    ])
    const before = post.sent.length
    await guest.call('channel.send', { id: guestId, text: 'to Alice' })
    await settle(post, guest)
    expect(post.sent.length).toBe(before)
    await host.call('channel.send', { id: hostId, text: 'from a stolen laptop' })
    await settle(post, host, guest)
    expect(guest.test.told('channel.content')).toEqual([])
    expect(await guest.texts(guestId)).toEqual([])
    expect(await stateOf(story)).toEqual(['suspended', 'CARD'])
  })

  it('goes on where it stopped once a newer card lists it again, also after a restart', async () => {
    const story = await met()
    const { post, host, hostId, guestId } = story
    await listed(story, 2, 'none')
    await host.call('channel.send', { id: hostId, text: 'waits' })
    await settle(post, host, story.guest)
    const guest = await story.guest.restarted()
    await guest.call('channel.send', { id: guestId, text: 'waits too' })
    await settle(post, host, guest)
    expect([await guest.texts(guestId), await host.texts(hostId)]).toEqual([[], []])
    await listed({ ...story, guest }, 3, 'laptop')
    await settle(post, host, guest)
    for (const each of [host, guest]) each.later(60_000)
    await settle(post, host, guest)
    expect([await guest.texts(guestId), await host.texts(hostId)]).toEqual([['waits'], ['waits too']])
    expect(await stateOf({ ...story, guest })).toEqual(['open', null])
  })

  it('closes after 30 days, and not before', async () => {
    const story = await met()
    const { guest } = story
    await listed(story, 2, 'none')
    guest.later(HELD_MS - 1000)
    await guest.idle()
    expect(await stateOf(story)).toEqual(['suspended', 'CARD'])
    guest.later(1000)
    await guest.idle()
    expect(['closing', 'closed']).toContain((await guest.call('channel.show', { id: story.guestId })).state)
  })
})

describe('a rotation of the peer', () => {
  it('leaves the channel unconfirmed and at work for seven days without a new card, and then suspends it', async () => {
    const story = await met()
    const { post, host, guest, guestId } = story
    await rotatesUnseen(story)
    // Her daemon is off: her new card comes by no way.
    await host.runner.close()
    expect(await stateOf(story)).toEqual(['unconfirmed', 'CARD'])
    post.isAway = false
    guest.later(7 * DAY_MS - 1000)
    await guest.idle()
    expect(await stateOf(story)).toEqual(['unconfirmed', 'CARD'])
    const before = post.sent.length
    await guest.call('channel.send', { id: guestId, text: 'still there?' })
    await settle(post, guest)
    expect(post.sent.length).toBeGreaterThan(before)
    guest.test.events.length = 0
    // The card is looked at each hour.
    guest.later(3_600_000)
    await guest.idle()
    expect(await stateOf(story)).toEqual(['suspended', 'CARD'])
    expect(guest.test.told('channel.changed')).toEqual([
      { id: guestId, app: 'chat', state: 'suspended', reason: 'CARD' },
    ])
  })

  it('counts the channel among those that stand still, and doctor names it, until the card comes', async () => {
    const story = await met()
    const { post, host, guest } = story
    const seen = (): unknown => {
      const { open, held } = channelsStatus(guest.runner)
      return { open, held, found: channelFindings(guest.runner).map(({ code }) => code) }
    }
    expect(seen()).toEqual({ open: 1, held: 0, found: ['CHANNELS'] })
    await rotatesUnseen(story)
    expect(seen()).toEqual({ open: 0, held: 1, found: ['CHANNEL_UNCONFIRMED'] })
    post.isAway = false
    for (const each of [host, guest]) each.later(60_000)
    await host.cards.idle()
    await settle(post, host, guest)
    await guest.cards.idle()
    expect(seen()).toEqual({ open: 1, held: 0, found: ['CHANNELS'] })
  })

  it('is over for the channel once the new card has come by it', async () => {
    const story = await met()
    const { post, host, guest } = story
    await rotatesUnseen(story)
    expect(await stateOf(story)).toEqual(['unconfirmed', 'CARD'])
    post.isAway = false
    for (const each of [host, guest]) each.later(60_000)
    await host.cards.idle()
    await settle(post, host, guest)
    await guest.cards.idle()
    expect(await stateOf(story)).toEqual(['open', null])
    guest.later(8 * DAY_MS)
    await guest.idle()
    expect(await stateOf(story)).toEqual(['open', null])
  })
})

describe('the channel with a persona that the owner blocks', () => {
  it('is suspended, however long, and goes on once the owner unblocks them', async () => {
    const story = await met()
    const { post, host, hostId, guestId } = story
    story.guest.test.events.length = 0
    await story.guest.test.call('contact.block', { contact: 'Alice' })
    await story.guest.idle()
    expect(story.guest.test.told('channel.changed')).toEqual([
      { id: guestId, app: 'chat', state: 'suspended', reason: 'BLOCKED' },
    ])
    const before = post.sent.length
    await story.guest.call('channel.send', { id: guestId, text: 'to nobody yet' })
    await settle(post, story.guest)
    expect(post.sent.length).toBe(before)
    await host.call('channel.send', { id: hostId, text: 'let me in' })
    await settle(post, host, story.guest)
    expect(story.guest.test.told('channel.content')).toEqual([])
    const guest = await story.guest.restarted()
    hearsEvents(guest)
    guest.later(2 * HELD_MS)
    await settle(post, host, guest)
    expect(await stateOf({ ...story, guest })).toEqual(['suspended', 'BLOCKED'])
    expect(await guest.texts(guestId)).toEqual([])
    await guest.test.call('contact.unblock', { contact: 'Alice' })
    await settle(post, host, guest)
    expect(await stateOf({ ...story, guest })).toEqual(['open', null])
    expect([await guest.texts(guestId), await host.texts(hostId)]).toEqual([['let me in'], ['to nobody yet']])
  })

  it('stays suspended after an unblock while the newest card does not list the end', async () => {
    const story = await met()
    const { guest } = story
    await guest.test.call('contact.block', { contact: 'Alice' })
    await guest.idle()
    await listed(story, 2, 'none')
    expect(await stateOf(story)).toEqual(['suspended', 'BLOCKED'])
    await guest.test.call('contact.unblock', { contact: 'Alice' })
    await guest.idle()
    expect(await stateOf(story)).toEqual(['suspended', 'CARD'])
    await listed(story, 3, 'laptop')
    expect(await stateOf(story)).toEqual(['open', null])
  })
})

/** Proposals over weeks, and between devices of one person (docs/links.md, section 3). */
import { describe, expect, test } from 'vitest'
import { PROPOSAL } from '../../../../../src/daemon/links/proposals/kinds.ts'
import { ChannelDaemon, openChannel } from '../../../../support/channel-daemon.ts'
import { TestKeeper } from '../../../../support/keeper.ts'
import { MemoryCarrier, MemoryPost } from '../../../../support/memory-carrier.ts'
import { days, ProposalDaemon, quiet, SECOND_APP } from '../../../../support/proposal-daemon.ts'
import { siblings } from '../../../../support/rotation.ts'

async function begin(post: MemoryPost, keeper: TestKeeper): Promise<ProposalDaemon> {
  return new ProposalDaemon(await ChannelDaemon.over(keeper, new MemoryCarrier(post)))
}

async function twoPeople(): Promise<{ post: MemoryPost; leo: ProposalDaemon; kim: ProposalDaemon }> {
  const post = new MemoryPost()
  const leo = await begin(post, await TestKeeper.withPersona())
  const kim = await begin(post, await TestKeeper.withPersona())
  await openChannel(post, leo.daemon, kim.daemon)
  return { post, leo, kim }
}

async function ownInvite({ daemon }: ProposalDaemon): Promise<string | null> {
  const [found] = await Array.fromAsync(daemon.sealed.records.onDisk(PROPOSAL).iterate())
  return found![1].proposal.own.offer?.invite ?? null
}

describe('offers', () => {
  test('are made anew before they are over, for as long as nobody answers', async () => {
    const { post, leo, kim } = await twoPeople()
    for (const each of [leo, kim]) each.link(true)
    await quiet(post, leo, kim)
    expect([await leo.states(), await kim.states()]).toEqual([['proposed'], ['proposed']])
    const first = await ownInvite(leo)
    await days(3, post, leo, kim)
    expect(await ownInvite(leo)).toBe(first)
    await days(2, post, leo, kim)
    expect(await ownInvite(leo)).not.toBe(first)
    await days(10, post, leo, kim)
    expect([await leo.states(), await kim.states()]).toEqual([['proposed'], ['proposed']])
    await leo.accept(kim)
    await days(9, post, leo, kim)
    await kim.accept(leo)
    await quiet(post, leo, kim)
    expect([await leo.states(), await kim.states()]).toEqual([['confirmed'], ['confirmed']])
    expect([(await leo.channels()).length, (await kim.channels()).length]).toEqual([1, 1])
  })

  test('that are withdrawn while the other daemon is off for a week are gone there afterwards', async () => {
    const { post, leo, kim } = await twoPeople()
    for (const each of [leo, kim]) each.link(true)
    await quiet(post, leo, kim)
    post.isAway = true
    leo.link(false)
    await leo.proposals.idle()
    for (let day = 0; day < 8; day++) for (const { daemon } of [leo, kim]) daemon.later(86_400_000)
    post.isAway = false
    await days(1, post, leo, kim)
    expect([await leo.states(), await kim.states()]).toEqual([['asked'], ['offered']])
    expect(await ownInvite(leo)).toBeNull()
  })
})

test('an offer opens nothing before its owner accepts, also for whoever uses it by hand', async () => {
  const { post, leo, kim } = await twoPeople()
  leo.link(true)
  await quiet(post, leo, kim)
  const invite = (await ownInvite(leo))!
  const { id } = await kim.daemon.call('channel.accept', { app: SECOND_APP, invite, name: 'Leo' })
  await quiet(post, leo, kim)
  const state = async (): Promise<string> => (await kim.daemon.call('channel.show', { id })).state
  expect([await leo.channels(), await state()]).toEqual([[], 'waiting'])
  leo.link(false)
  await days(1, post, leo, kim)
  expect([await leo.channels(), await state()]).toEqual([[], 'waiting'])
})

test('a contact with two devices is proposed once for each, and one answer opens a channel with each of them', async () => {
  const post = new MemoryPost()
  const { laptop, phone } = await siblings()
  const leo = await begin(post, await TestKeeper.withPersona())
  const kims = [await begin(post, laptop), await begin(post, phone)]
  for (const kim of kims) await openChannel(post, kim.daemon, leo.daemon)
  const all = [leo, ...kims]
  for (const each of all) each.link(true)
  await quiet(post, ...all)
  expect(await leo.states()).toEqual(['proposed', 'proposed'])
  await leo.accept(kims[0]!)
  await quiet(post, ...all)
  expect(await leo.states()).toEqual(['acceptedHere', 'acceptedHere'])
  await kims[0]!.accept(leo)
  await quiet(post, ...all)
  // Siblings share no answers.
  expect([(await leo.states()).toSorted(), await kims[1]!.states()]).toEqual([
    ['acceptedHere', 'confirmed'],
    ['acceptedThere'],
  ])
  await kims[1]!.accept(leo)
  await quiet(post, ...all)
  expect(await leo.states()).toEqual(['confirmed', 'confirmed'])
  expect((await leo.channels()).map(({ peer }) => peer.persona)).toEqual([kims[0]!.persona, kims[0]!.persona])
})

/** The process ends while an offer does: both sides have the channel of whoever has used it at the last moment. */
import { expect, test } from 'vitest'
import { PROPOSAL } from '../../../../../src/daemon/links/proposals/kinds.ts'
import { isDeclined } from '../../../../../src/daemon/links/proposals/declines.ts'
import { INVITE } from '../../../../../src/daemon/channels/records/kinds.ts'
import { openMemoryStore } from '../../../../../src/store/memory-store.ts'
import { ChannelDaemon, openChannel } from '../../../../support/channel-daemon.ts'
import { codeOf } from '../../../../support/code-of.ts'
import { CrashingStore } from '../../../../support/crashing-store.ts'
import { TestKeeper } from '../../../../support/keeper.ts'
import { MemoryCarrier, MemoryPost } from '../../../../support/memory-carrier.ts'
import { ProposalDaemon, quiet, SECOND_APP } from '../../../../support/proposal-daemon.ts'

const DAY_SEC = 86_400

interface Person {
  readonly store: CrashingStore
  readonly daemon: ProposalDaemon
}

async function begin(post: MemoryPost): Promise<Person> {
  const store = new CrashingStore(openMemoryStore())
  const keeper = await TestKeeper.withPersona({ store })
  return { store, daemon: new ProposalDaemon(await ChannelDaemon.over(keeper, new MemoryCarrier(post))) }
}

async function ownHash({ daemon }: ProposalDaemon): Promise<string> {
  const [found] = await Array.fromAsync(daemon.sealed.records.onDisk(PROPOSAL).iterate())
  return found![1].proposal.own.offer!.hash
}

/** The guest has used the offer of the host, who has not heard of it. */
async function claimed(): Promise<{ post: MemoryPost; host: Person; guest: ProposalDaemon }> {
  const post = new MemoryPost()
  const people = [await begin(post), await begin(post)]
  const daemons = people.map(({ daemon }) => daemon)
  const [leo, kim] = daemons as [ProposalDaemon, ProposalDaemon]
  await openChannel(post, leo.daemon, kim.daemon)
  for (const each of daemons) each.link(true)
  await quiet(post, ...daemons)
  const isLeo = (await ownHash(leo)) < (await ownHash(kim))
  const [host, guest] = isLeo ? [people[0]!, kim] : [people[1]!, leo]
  await host.daemon.accept(guest)
  await quiet(post, ...daemons)
  host.daemon.daemon.test.onEvent = (event) => host.daemon.daemon.runner.onEvent(event)
  host.daemon.daemon.introductions.taken = () => {}
  await guest.accept(host.daemon)
  await quiet(post, ...daemons)
  expect([await host.daemon.channels(), await host.daemon.states()]).toMatchObject([
    [{ state: 'open' }],
    ['acceptedHere'],
  ])
  return { post, host, guest }
}

// The offer sleeps after the first one, and the proposal knows the guest after the second one.
test.each([1, 2, 3])('after %i writes of a decline that comes too late for the guest', async (commits) => {
  const { post, host, guest } = await claimed()
  const { store, daemon } = host
  store.crashAfter(commits)
  await daemon.proposals.answer(SECOND_APP, guest.persona, 'declined').catch(() => {})
  await daemon.proposals.close()
  expect(store.isDead).toBe(true)
  store.revive()
  const after = new ProposalDaemon(await daemon.daemon.restarted())
  after.link(true)
  await quiet(post, after, guest)
  expect([await after.states(), await after.channels()]).toMatchObject([['confirmed'], [{ state: 'open' }]])
  expect([await guest.states(), await guest.channels()]).toMatchObject([['confirmed'], [{ state: 'open' }]])
})

test('a decline that comes too late for the guest is refused, and is not kept', async () => {
  const { post, host, guest } = await claimed()
  const { proposals, daemon } = host.daemon
  expect(await codeOf(proposals.answer(SECOND_APP, guest.persona, 'declined'))).toBe('PROPOSAL_UNKNOWN')
  expect(isDeclined(guest.persona, SECOND_APP, daemon.test.keeper)).toBe(false)
  await quiet(post, host.daemon, guest)
  for (const each of [host.daemon, guest])
    expect([await each.states(), await each.channels()]).toMatchObject([['confirmed'], [{ state: 'open' }]])
})

test('an offer is erased once its channel is open, and not before, also where its time is over by then', async () => {
  const { post, host, guest } = await claimed()
  const { daemon } = host.daemon
  await host.daemon.proposals.close()
  const invites = async ({ sealed }: ChannelDaemon): Promise<number> =>
    (await Array.fromAsync(sealed.records.onDisk(INVITE).iterate())).filter(([, { offer }]) => offer !== 'none').length
  daemon.test.later(8 * DAY_SEC)
  const restarted = await daemon.restarted()
  await restarted.idle()
  expect(await invites(restarted)).toBe(1)
  const after = new ProposalDaemon(restarted)
  after.link(true)
  await quiet(post, after, guest)
  expect([await after.states(), await after.channels()]).toMatchObject([['confirmed'], [{ state: 'open' }]])
  expect(await invites(restarted)).toBe(0)
})

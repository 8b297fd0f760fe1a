/** The rules by which a channel that cannot go on is opened anew by a message (docs/channel.md, section 10). */
import { expect, test } from 'vitest'
import { formatHex } from '../../../../src/core/encoding/bytes.ts'
import { Reopening } from '../../../../src/daemon/channels/reopen.ts'
import { END } from '../../../../src/daemon/channels/records/kinds.ts'
import { REOPENING } from '../../../../src/daemon/channels/records/reopening.ts'
import { noLetters, type Letter } from '../../../../src/daemon/wing/letters.ts'
import { ChannelDaemon, openChannel, settle } from '../../../support/channel-daemon.ts'
import { TestKeeper } from '../../../support/keeper.ts'
import { MemoryCarrier, MemoryPost } from '../../../support/memory-carrier.ts'

/** A daemon whose persona opens channels anew, and the invites that it has sent. */
class Person {
  readonly daemon: ChannelDaemon
  readonly reopening: Reopening
  readonly sent: { readonly app: string; readonly persona: string; readonly invite: string }[] = []
  hasInbox = true

  constructor(daemon: ChannelDaemon) {
    this.daemon = daemon
    const send = (app: string, persona: string, invite: string): Promise<boolean> => {
      this.sent.push({ app, persona, invite })
      return Promise.resolve(this.hasInbox)
    }
    this.reopening = new Reopening(daemon.runner, { ...noLetters(), send })
    daemon.test.onEvent = (event) => {
      daemon.cards.onEvent(event)
      daemon.runner.onEvent(event)
      this.reopening.onEvent(event)
    }
  }

  get id(): string {
    return this.daemon.test.records.own.get('own')!.personaId
  }

  /** The last invite, as it comes at the other side. */
  letter(): Letter {
    const { app, invite } = this.sent.at(-1)!
    return { app, persona: this.id, device: formatHex(this.daemon.cards.deviceNow(app)!.deviceKey), invite }
  }

  async states(): Promise<string[]> {
    return (await this.daemon.call('channel.list', {})).channels.map(({ state }) => state)
  }

  async reopens(): Promise<number> {
    return (await Array.fromAsync(this.daemon.test.keeper.onDisk.of(REOPENING).iterate())).length
  }
}

interface Story {
  readonly post: MemoryPost
  readonly alice: Person
  readonly bob: Person
}

/** Alice and Bob have a channel, and Alice's end of it is lost, as after a backup. */
async function lostChannel(hasInbox: boolean = true): Promise<Story> {
  const post = new MemoryPost()
  const open = async (): Promise<ChannelDaemon> =>
    await ChannelDaemon.over(await TestKeeper.withPersona(), new MemoryCarrier(post))
  const [host, guest] = [await open(), await open()]
  const { hostId } = await openChannel(post, host, guest)
  await host.test.keeper.change(() => host.sealed.records.inChange(END).delete(hostId))
  const [alice, bob] = [new Person(await host.restarted()), new Person(guest)]
  alice.hasInbox = hasInbox
  alice.reopening.start()
  await alice.reopening.idle()
  return { post, alice, bob }
}

test('a channel whose end is lost is opened anew by one invite, and goes on', async () => {
  const { post, alice, bob } = await lostChannel()
  expect(alice.sent).toMatchObject([{ app: 'chat', persona: bob.id }])
  const { channels } = await bob.daemon.call('channel.list', {})
  await bob.daemon.call('channel.send', { id: channels[0]!.id, text: 'while you were away' })
  await bob.reopening.take(alice.letter())
  for (let round = 0; round < 3; round++) {
    await settle(post, alice.daemon, bob.daemon)
    await Promise.all([alice.reopening.idle(), bob.reopening.idle()])
  }
  expect([await alice.states(), await bob.states()]).toEqual([['open'], ['open']])
  const [fresh] = (await alice.daemon.call('channel.list', {})).channels
  expect(await alice.daemon.texts(fresh!.id)).toEqual(['while you were away'])
  expect([await alice.reopens(), await bob.reopens()]).toEqual([0, 0])
})

test('an invite is sent once, however often the daemon starts', async () => {
  const { alice } = await lostChannel()
  alice.reopening.start()
  await alice.reopening.idle()
  expect([alice.sent.length, await alice.reopens()]).toEqual([1, 1])
})

test('an invite that cannot go leaves nothing', async () => {
  const { alice } = await lostChannel(false)
  expect([alice.sent.length, await alice.reopens()]).toEqual([1, 0])
})

test('an invite of another app, of another persona or of no form opens nothing', async () => {
  const { alice, bob } = await lostChannel()
  const letter = alice.letter()
  const { invite: ofMail } = await alice.daemon.call('channel.invite', { app: 'mail' })
  const { invite: ofBob } = await bob.daemon.call('channel.invite', {})
  for (const invite of [ofMail, ofBob, 'hello', '']) await bob.reopening.take({ ...letter, invite })
  expect([await bob.reopens(), await bob.states()]).toEqual([0, ['open']])
})

test('an invite that comes twice opens one channel', async () => {
  const { alice, bob } = await lostChannel()
  await bob.reopening.take(alice.letter())
  await bob.reopening.take(alice.letter())
  expect([await bob.reopens(), (await bob.states()).length]).toEqual([1, 2])
})

test('an invite of a device with which no channel is leaves the channels of other devices alone', async () => {
  const { alice, bob } = await lostChannel()
  await bob.reopening.take({ ...alice.letter(), device: 'F'.repeat(64) })
  expect([await bob.reopens(), await bob.states()]).toEqual([0, ['open']])
})

/** Messages between real daemons, over real relays and personad-net. */
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { meet, readUpTo, Side } from '../support/channel-sides.ts'
import { Correspondent, inboxRelay, makeContacts, objectsOf } from '../support/message-sides.ts'
import { deliverAndLeave } from '../support/message-stories.ts'
import { tempDir } from '../support/temp-dir.ts'

const TIMEOUT_MS = 120_000 // sanity: some ten seconds on an idle machine

test(
  'a message is with the recipient, and its sender hears of it; the store does not have it any more, and one that waits goes with its sender',
  async () => {
    const relay = await inboxRelay()
    const [alice, bob] = await Promise.all([Correspondent.start(relay), Correspondent.start(relay)])
    await deliverAndLeave(alice, bob, () => objectsOf(relay).length)
  },
  TIMEOUT_MS,
)

test(
  'a channel that cannot go on after a restore is opened anew by a message, with what the peer has not got',
  async () => {
    const relay = await inboxRelay()
    const [alice, bob] = await Promise.all([Correspondent.start(relay), Correspondent.start(relay)])
    await makeContacts(alice, bob)
    await Promise.all([alice.use('chat'), bob.use('chat')])
    const { hostId, guestId } = await meet(alice, bob, [relay.relay.url])
    const { text } = await alice.client.call('blob.get', {})
    await alice.stop()
    await bob.client.call('channel.send', { id: guestId, text: 'while you were away' })
    // Somebody puts back the whole home of Alice.
    const home = join(tempDir(), 'copy')
    cpSync(alice.home, home, { recursive: true, filter: (path) => !path.endsWith('.sock') })
    const copy = await new Side({ private: ['127.0.0.1'] }, home).start()
    expect(await copy.show(hostId)).toMatchObject({ state: 'broken', reason: 'RESTORED' })
    // Her own table is read: nothing is newer than it.
    await copy.client.call('persona.reconcile', { copies: [text] })
    const fresh = await bob.until(async (client) => {
      const { channels } = await client.call('channel.list', {})
      return channels.find(({ id, state }) => id !== guestId && state === 'open') ?? null
    })
    expect(fresh.peer.persona).toBe(alice.persona)
    const ofCopy = await copy.until(async (client) => {
      const { channels } = await client.call('channel.list', {})
      return channels.find(({ id, received }) => id !== hostId && received > 0) ?? null
    })
    expect(await readUpTo(copy, ofCopy.id, 1)).toEqual(['while you were away'])
    await Promise.all(
      [bob, copy].map((side) =>
        side.until(async (client) => (await client.call('channel.list', {})).channels.length === 1),
      ),
    )
  },
  TIMEOUT_MS,
)

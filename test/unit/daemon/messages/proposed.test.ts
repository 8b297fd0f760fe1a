/** An app proposes relays, and the owner decides (docs/messages.md, section 8). */
import { expect, test } from 'vitest'
import { messageApp, MessageDaemon, NOTES, recordsOf } from '../../../support/message-daemon.ts'
import { MessageWorld } from '../../../support/message-world.ts'
import { PROPOSAL } from '../../../../src/daemon/messages/records/kinds.ts'

const THEIRS = 'https://theirs.example/'
const OTHER = 'https://other.example/'
const APP = messageApp(NOTES)

async function alone(): Promise<MessageDaemon> {
  const world = new MessageWorld()
  const alice = await MessageDaemon.open(world, 'Alice', [await world.relay('alice')])
  await alice.use()
  return alice
}

test('a proposal changes no card, and is answered once the owner names the relays', async () => {
  const alice = await alone()
  const before = alice.cards.deviceNow(NOTES)!.card
  const box = await alice.call('message.propose', { inboxes: [THEIRS], stores: [...before.stores] }, APP)
  // The store may stay: it is that already.
  expect(box.proposed).toEqual({ inboxes: [THEIRS], stores: null })
  expect(alice.cards.deviceNow(NOTES)!.card.text).toBe(before.text)
  await alice.cards.setInboxes(NOTES, [THEIRS])
  await alice.idle()
  expect((await alice.call('message.list', {})).apps).toMatchObject([{ app: NOTES, proposed: null }])
  expect(await recordsOf(alice, PROPOSAL)).toBe(0)
})

test('what the owner has rejected is not proposed again, and something else is', async () => {
  const alice = await alone()
  await alice.call('message.propose', { inboxes: [THEIRS] }, APP)
  expect((await alice.call('message.propose', { app: NOTES })).proposed).toBeNull()
  expect((await alice.call('message.propose', { inboxes: [THEIRS] }, APP)).proposed).toBeNull()
  const other = await alice.call('message.propose', { inboxes: [OTHER] }, APP)
  expect(other.proposed).toEqual({ inboxes: [OTHER], stores: null })
})

test('an app takes its proposal back, and proposes nothing for another app', async () => {
  const alice = await alone()
  await alice.call('message.propose', { stores: [THEIRS] }, APP)
  expect((await alice.call('message.propose', {}, APP)).proposed).toBeNull()
  const foreign = alice.call('message.propose', { app: 'org.example.other', stores: [THEIRS] }, APP)
  await expect(foreign).rejects.toMatchObject({ code: 'MESSAGE_APP' })
})

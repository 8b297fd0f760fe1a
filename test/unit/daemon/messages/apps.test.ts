/** Hostile apps: none reaches the messages of another one, and no value of a call does more than be refused. */
import { describe, expect, test } from 'vitest'
import { CARDS_METHODS } from '../../../../src/ipc/methods/cards.ts'
import { MESSAGES, type MessagesMethods } from '../../../../src/ipc/methods/messages.ts'
import { messageApp, NOTES, twoPeople } from '../../../support/message-daemon.ts'

const OTHER = messageApp('org.example.other')
const TO = 'A'.repeat(64)

test('an app that names another one is refused at each method, and sees nothing of it without', async () => {
  const { alice, bob } = await twoPeople()
  await alice.send(bob, 'hello')
  await bob.arrived(1)
  await bob.send(alice, 'an answer')
  const calls: Partial<{ [Name in keyof MessagesMethods]: object }> = {
    'message.open': {},
    'message.put': { to: alice.personaId, text: 'in the name of notes' },
    'message.read': { after: 0 },
    'message.ack': { upTo: 1 },
    'message.sent': {},
    'message.list': {},
  }
  for (const [name, params] of Object.entries(calls)) {
    const call = bob.call(name as 'message.list', { ...params, app: NOTES }, OTHER)
    await expect(call, name).rejects.toMatchObject({ code: 'MESSAGE_APP' })
  }
  expect((await bob.call('message.list', {}, OTHER)).apps.map(({ app }) => app)).toEqual(['org.example.other'])
  expect((await bob.call('message.sent', {}, OTHER)).messages).toEqual([])
  // Its key of an upload or of a message is its own: the same one of another app is another.
  await bob.send(alice, 'by notes', 'one-key')
  await bob.call('message.open', {}, OTHER)
  const put = bob.call('message.put', { to: alice.personaId, text: 'by the other', key: 'one-key' }, OTHER)
  await expect(put).rejects.toMatchObject({ code: 'MESSAGE_NO_CARD' })
  expect(await bob.texts()).toEqual(['hello'])
})

test('no app answers for the owner, or says where inboxes and stores are', () => {
  const { methods } = MESSAGES
  expect([methods['message.answer'].permission, methods['message.put'].permission]).toEqual(['admin', 'message'])
  for (const name of ['card.inboxes', 'card.stores', 'card.rejoin'] as const)
    expect([name, CARDS_METHODS[name].permission]).toEqual([name, 'admin'])
})

describe('a call is refused for its form', () => {
  const MANY = 'A'.repeat(1 << 19)
  const FORMS: readonly (readonly [keyof MessagesMethods, object])[] = [
    ['message.put', { to: TO.toLowerCase(), text: 'x' }],
    ['message.put', { to: `${TO}A`, text: 'x' }],
    ['message.put', { to: TO, text: 'x', app: '__proto__' }],
    ['message.put', { to: TO, text: 'x', app: `org.${'a'.repeat(200)}` }],
    ['message.put', { to: TO, content: MANY }],
    ['message.put', { to: TO, content: 'not base64!' }],
    ['message.put', { to: TO, text: 'x', key: '../x' }],
    ['message.put', { to: TO, text: 'x', key: 'k'.repeat(65) }],
    ['message.put', { to: TO, content: 'AAAA', upload: 'u', total: 2 ** 40, offset: 0 }],
    ['message.put', { to: TO, content: 'AAAA', upload: 'u', total: 8, offset: -1 }],
    ['message.put', { to: TO, text: 'x', isUrgent: true }],
    ['message.read', { after: -1 }],
    ['message.read', { after: 2 ** 60 }],
    ['message.read', { after: 0.5 }],
    ['message.read', { after: 0, limit: 1_000_000 }],
    ['message.read', { after: 0, offset: 'all' }],
    ['message.ack', { upTo: Number.MAX_VALUE }],
    ['message.ack', { upTo: null }],
    ['message.sent', { limit: 0 }],
  ]

  test.each(FORMS)('%s %#', (name, params) => {
    expect(MESSAGES.methods[name].params.safeParse(params).success).toBe(false)
  })
})

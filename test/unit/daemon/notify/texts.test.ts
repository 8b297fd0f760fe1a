import { expect, test } from 'vitest'
import { noticeOf, type Notice } from '../../../../src/daemon/notify/texts.ts'
import type { DaemonEvent } from '../../../../src/ipc/methods/events.ts'
import { OWN_PHONE, ownText, TestKeeper } from '../../../support/keeper.ts'
import { deviceKey, person } from '../../../support/person.ts'

/** The notices of events of a real keeper, in order. */
function noticesOf(events: readonly DaemonEvent[]): Notice[] {
  let unapproved = new Set<string>()
  return events.flatMap((event) => {
    const made = noticeOf(event, unapproved)
    if (event.event === 'own.changed') unapproved = new Set(event.data.unapproved.map(({ key }) => key))
    return made === null ? [] : [made]
  })
}

test('what the policy auto accepts is silent, except a new device', async () => {
  const story = await TestKeeper.withPersona()
  const bob = person('bob of notices')
  await story.sees(bob.key('phone'), bob.table(['phone', 'laptop']), { name: 'Bob' })
  await story.later(60).sees(bob.key('phone'), bob.table(['laptop', 'phone']))
  await story.later(60).sees(bob.key('phone'), bob.table(['phone']))
  expect(noticesOf(story.events)).toEqual([])
  expect(story.told('contact.changed').length).toBeGreaterThanOrEqual(3)
  await story.later(60).sees(bob.key('phone'), bob.table(['phone', 'tablet']))
  expect(noticesOf(story.events)).toEqual([
    {
      kind: 'devices',
      urgency: 'low',
      summary: 'New device of Bob',
      body: 'The table of Bob lists the new device tablet.',
    },
  ])
})

test('an alarm is shown with its message, and no key is in it', async () => {
  const story = await TestKeeper.withPersona()
  const [bob, other] = [person('bob of alarms'), person('other of alarms')]
  await story.sees(bob.key('phone'), bob.table(['phone']), { name: 'Bob' })
  await story.later(60).sees(bob.key('phone'), other.table([{ name: 'x', key: bob.key('phone') }]))
  const events = [...story.events]
  expect(story.told('alarm')[0]!.message).toContain(other.id)
  const notices = noticesOf(events).filter(({ kind }) => kind === 'alarms')
  expect(notices).toHaveLength(1)
  expect(notices[0]!.body).toBe(
    "A device of Bob shows another persona, (key); it is no longer taken for Bob's, nor for the other's.",
  )
})

test('a change that waits for the owner is shown once, under the policies that hold it back', async () => {
  const story = await TestKeeper.withPersona()
  const bob = person('bob who waits')
  await story.sees(bob.key('phone'), bob.table(['phone']), { name: 'Bob' })
  await story.call('contact.policy', { contact: 'Bob', policy: 'ask' })
  const next = bob.table(['phone', 'tablet'])
  await story.later(60).sees(bob.key('phone'), next)
  await story.later(60).sees(bob.key('phone'), next)
  const waiting = noticesOf(story.events).filter(({ kind }) => kind === 'waiting')
  expect(waiting.map(({ body }) => body)).toEqual(['Bob has a newer table. It waits for your decision.'])
})

test('an own device that another device added is shown once, although each change of the table repeats it', async () => {
  const laptop = await TestKeeper.withPersona()
  await laptop.call('device.add', { name: 'phone', key: OWN_PHONE })
  const phone = await laptop.copied(OWN_PHONE)
  laptop.events.length = 0
  await phone.call('device.add', { name: 'tablet', key: deviceKey('own tablet') })
  await laptop.later(100).sees(OWN_PHONE, await ownText(phone))
  await laptop.call('device.rename', { device: 'laptop', name: 'Laptop' })
  const events = [...laptop.events]
  expect(laptop.told('own.changed')).toHaveLength(2)
  const notices = noticesOf(events)
  expect(notices.map(({ summary }) => summary)).toEqual(['New device in your own table'])
  expect(notices[0]!.body).toContain('the device tablet')
})

test('an app that asks for rights is shown, and the answer of the owner is not', () => {
  const data = { app: 'toxbot', can: [], asks: ['read'], expiresAtSec: null } as const
  const changed = (what: 'requested' | 'accepted'): Notice | null =>
    noticeOf({ event: 'app.changed', id: 1, atSec: 0, data: { ...data, can: [], asks: ['read'], what } }, new Set())
  expect(changed('requested')?.body).toBe('The app toxbot waits for your answer.')
  expect(changed('accepted')).toBeNull()
})

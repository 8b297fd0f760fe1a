/** Two devices of each of two people, between real daemons: each gets a message once, whenever it is there (docs/messages.md, section 8). */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { APP, expectEmpty, somebody, twoRelays } from '../support/messages-apart.ts'
import { Correspondent, joined, makeContacts, objectsOf, statsOf } from '../support/message-sides.ts'
import { Home } from '../support/persona.ts'
import { tempDir } from '../support/temp-dir.ts'

const isAsked = process.env['MESSAGE_DEVICES'] !== undefined // `npm run test:slow` asks for it: five daemons and two relays
const TIMEOUT_MS = 120_000 // sanity: some ten seconds on an idle machine
const ABSENCE = isAsked ? '' : ' (skipped: takes MESSAGE_DEVICES=1)'

test.skipIf(!isAsked)(
  `each device of both people gets a message once, and entry and object go after the last of them${ABSENCE}`,
  async () => {
    const apart = await twoRelays()
    const [alice, bob] = await Promise.all([somebody(apart), somebody(apart)])
    await makeContacts(alice, bob)
    const [phone, tablet] = [
      await joined(alice, apart.inboxes, apart.stores),
      await joined(bob, apart.inboxes, apart.stores),
    ]
    for (const device of [phone, tablet]) await device.use(APP)
    // A sender looks for new devices of their own once a minute, and after each start.
    await alice.stop()
    await alice.start()
    // Both of Bob's devices are off.
    await bob.stop()
    await tablet.stop()
    const number = await alice.put(APP, bob, 'to all of you')
    expect(await alice.untilSent(APP, number!, 'notified')).toMatchObject({ devices: 2, received: 0 })
    expect(await phone.texts(APP, 1)).toEqual(['to all of you'])
    await bob.start()
    expect(await bob.texts(APP, 1)).toEqual(['to all of you'])
    // Bob's laptop has sent its receipt. The tablet has not, so all stays.
    const received = async (): Promise<number> =>
      (await alice.client.call('message.sent', { app: APP })).messages[0]!.received
    await expect.poll(received, { timeout: 20_000 }).toBe(1)
    expect([(await statsOf(apart.inboxes)).entries > 0, objectsOf(apart.stores).length]).toEqual([true, 1])
    // A device that is added now sees what comes later only.
    const later = await joined(bob, apart.inboxes, apart.stores)
    await later.use(APP)
    await tablet.start()
    expect(await tablet.texts(APP, 1)).toEqual(['to all of you'])
    await alice.untilSent(APP, number!, 'received')
    await expectEmpty(apart)
    const next = await phone.put(APP, bob, 'to three')
    expect(await later.texts(APP, 1)).toEqual(['to three'])
    expect(await phone.untilSent(APP, next!, 'received')).toMatchObject({ devices: 3, received: 3 })
    for (const device of [bob, tablet]) expect(await device.texts(APP, 2)).toEqual(['to all of you', 'to three'])
    expect(await alice.texts(APP, 1)).toEqual(['to three'])
    await expectEmpty(apart)
  },
  TIMEOUT_MS,
)

test.skipIf(!isAsked)(
  `a device that is restored from a backup gets what waits, before its app asks for anything${ABSENCE}`,
  async () => {
    const apart = await twoRelays()
    const [alice, bob] = await Promise.all([somebody(apart), somebody(apart)])
    await makeContacts(alice, bob)
    const directory = tempDir()
    const [backup, passphrase] = [join(directory, 'all.persona'), join(directory, 'passphrase')]
    writeFileSync(passphrase, 'a backup of mine\n', { mode: 0o600 })
    const sealed = ['--passphrase-file', passphrase]
    await new Home(bob.home).done(['backup', backup, ...sealed])
    const { text } = await bob.client.call('blob.get', {})
    await bob.stop()
    const number = await alice.put(APP, bob, 'to the lost device')
    await alice.untilSent(APP, number!, 'notified')

    const restored = await new Correspondent({ private: ['127.0.0.1'] }).start()
    for (const { relay, token } of [apart.inboxes, apart.stores])
      await restored.client.call('relay.add', { url: relay.url, token })
    const home = new Home(restored.home)
    await home.done(['restore', backup, ...sealed])
    await restored.client.call('persona.reconcile', { copies: [text] })
    await home.done(['unlock', ...sealed])
    expect(await restored.texts(APP, 1)).toEqual(['to the lost device'])
    await expect.poll(async () => (await statsOf(apart.inboxes)).entries, { timeout: 20_000 }).toBe(0)
  },
  TIMEOUT_MS,
)

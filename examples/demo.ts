/** `npm run demo`: two people, three profiles, an app and a thief. Two strangers become one person with two devices, and then with one. */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { OwnTable } from '../src/ipc/shapes/own.ts'
import type { DaemonStatus } from '../src/ipc/methods/status.ts'
import type { Contact, LookupResult } from '../src/ipc/shapes/contact.ts'
import type { PendingUpdate } from '../src/ipc/shapes/pending.ts'
import {
  anyOtherFriend,
  copyProfiles,
  deliver,
  makeProfiles,
  REAL_PROFILES,
  statusOf,
  toxPkOf,
} from './demo-profiles.ts'
import { playStory } from './demo-play.ts'
import { Person, WhoIs } from './demo-stage.ts'
import { carry, check, checkPrinted, keysOf, publish, scene, type Cast } from './demo-story.ts'
import { rotation, shutOut, theft, writeWordsDown } from './demo-theft.ts'

async function strangers({ bob, laptop, phone }: Cast): Promise<WhoIs> {
  scene(
    'Bob sees two strangers.',
    "Alice has a laptop and a phone. In Tox, and in Bob's friend list, they are two people with two",
    'keys. Bob starts a daemon and lets it read his Tox profile.',
  )
  await bob.startDaemon()
  await bob.types('tox', 'scan', 'bob.tox')
  await bob.types('contact', 'list', '--all')
  const [first, second] = [
    await bob.asks<LookupResult>('lookup', laptop),
    await bob.asks<LookupResult>('lookup', phone),
  ]
  check(
    'the two keys are two contacts without a persona',
    first.contact?.kind === 'provisional' &&
      second.contact?.kind === 'provisional' &&
      first.contact.name !== second.contact.name,
  )
  console.log("   A small app (examples/who-is.ts) asks Bob's daemon who the laptop's key is, and keeps listening.")
  const app = new WhoIs(bob.appSocket, laptop)
  await checkPrinted('the app learns about a friend without a persona', app, /^answer: .*a friend without a persona$/)
  return app
}

async function makePersona({ alice, laptop }: Cast): Promise<void> {
  scene(
    'Alice makes her persona.',
    'It is a signing key above all her devices. It signs a table that lists which devices are hers.',
  )
  await alice.startDaemon()
  await alice.types('init', '--device', 'laptop', '--tox-profile', 'alice-laptop.tox')
  await alice.types('device', 'list')
  const table = await alice.asks<OwnTable>('device', 'list')
  check('her table lists the laptop, with the key of its Tox profile', keysOf(table.devices) === laptop)
  const { theftProtection } = await alice.asks<DaemonStatus>('status')
  check('she has yet to write down the recovery words ("persona recovery show")', !theftProtection)
}

async function publishFirst({ alice }: Cast): Promise<void> {
  scene(
    'Alice publishes it.',
    'The table goes into her Tox status message, after her own words. Every Tox client shows that text',
    'to all friends; no client has to change.',
  )
  await publish(alice, 'alice-laptop.tox')
}

async function firstDevice(cast: Cast, app: WhoIs): Promise<void> {
  const { bob, laptop } = cast
  scene('Bob learns that the laptop is a device of a persona.')
  carry(cast, 'alice-laptop.tox')
  await bob.types('tox', 'scan', 'bob.tox')
  await bob.types('contact', 'show', 'Alice')
  const alice = await bob.asks<Contact>('contact', 'show', 'Alice')
  check(
    'Alice is a persona with one trusted device: the laptop itself has shown her table',
    alice.kind === 'persona' && keysOf(alice.devices) === laptop && alice.claims.length === 0,
  )
  await checkPrinted('the app learns about it without asking again', app, /^event: .*message goes to laptop /)
}

async function addPhone({ alice, phone, laptop }: Cast): Promise<void> {
  scene(
    'Alice adds her phone, and makes it the active one.',
    'Friends should write to the phone from now on. She publishes the new table on both devices.',
  )
  await alice.types('device', 'add', 'phone', '--tox-profile', 'alice-phone.tox')
  await alice.types('device', 'activate', 'phone')
  const table = await alice.asks<OwnTable>('device', 'list')
  check('her table lists both, the phone first', keysOf(table.devices) === `${phone} ${laptop}`)
  await publish(alice, 'alice-laptop.tox')
  await publish(alice, 'alice-phone.tox')
}

async function unconfirmedPhone(cast: Cast, app: WhoIs): Promise<void> {
  const { bob, laptop, phone } = cast
  scene(
    'Bob sees the new table on the laptop first: the phone is unconfirmed.',
    "Anybody could write anybody's key into a table. Bob's daemon waits until the phone shows it too.",
  )
  carry(cast, 'alice-laptop.tox')
  await bob.types('tox', 'scan', 'bob.tox')
  await bob.types('contact', 'show', 'Alice')
  const alice = await bob.asks<Contact>('contact', 'show', 'Alice')
  check(
    'the phone is unconfirmed, and messages still go to the laptop',
    keysOf(alice.claims) === phone && alice.active === laptop && alice.activeUnconfirmed === phone,
  )
  await checkPrinted('the app learns about the phone', app, /^event: Alice lists a new device, phone /)
  const still = /^event: .*message goes to laptop .*phone .* is unconfirmed/
  await checkPrinted('and that it does not count yet', app, still)
}

async function trustedPhone(cast: Cast, app: WhoIs): Promise<void> {
  const { bob, laptop, phone } = cast
  scene(
    'The phone shows the same table. Bob agrees: now it is trusted, and the active device.',
    'He knew the phone as a friend under a name of its own. A name never moves to another person without an answer.',
  )
  carry(cast, 'alice-phone.tox')
  await bob.types('tox', 'scan', 'bob.tox')
  await bob.types('pending')
  const { pending } = await bob.asks<{ pending: PendingUpdate[] }>('pending')
  check('one change waits: the phone would become one of her devices', pending.map(({ key }) => key).join() === phone)
  await bob.types('accept', pending[0]!.contact, '--table', pending[0]!.tableHash.slice(0, 8))
  await bob.types('contact', 'list')
  const { contact: alice } = await bob.asks<LookupResult>('lookup', phone)
  check(
    'the two strangers are one person with two trusted devices, the phone first',
    alice?.name === 'Alice' && keysOf(alice.devices) === `${phone} ${laptop}` && alice.claims.length === 0,
  )
  await checkPrinted('the app learns where Alice is now', app, /^event: .*message goes to phone [^;]*$/)
  console.log("   Another app asks who the phone's key is.")
  const other = new WhoIs(bob.appSocket, phone)
  const answer = /^answer: phone .* is a device of Alice .*message goes to phone /
  await checkPrinted("its answer is the same, for either of Alice's keys", other, answer)
}

async function impostor({ alice, bob, bobFile, laptop, phone }: Cast): Promise<void> {
  const { name, key } = anyOtherFriend(bobFile, [laptop, phone])
  scene(
    "Another friend shows a copy of Alice's status message. It proves nothing.",
    `(Simulated: the demo puts the text of alice-phone.tox into the record of ${JSON.stringify(name)}.)`,
  )
  deliver(statusOf(join(alice.dir, 'alice-phone.tox')), key, bobFile)
  await bob.types('tox', 'scan', 'bob.tox')
  const person = await bob.asks<Contact>('contact', 'show', 'Alice')
  const { contact } = await bob.asks<LookupResult>('lookup', key)
  check(
    "Alice has her two devices, and the other friend's device is not one of them",
    keysOf(person.devices) === `${phone} ${laptop}` && contact?.kind === 'provisional' && contact.name !== 'Alice',
  )
}

/** The whole story. */
async function play(home: string): Promise<void> {
  const [alice, bob] = [new Person('alice', join(home, 'alice')), new Person('bob', join(home, 'bob'))]
  const [laptop, phone] = ['alice-laptop.tox', 'alice-phone.tox'].map((file) => toxPkOf(join(alice.dir, file)))
  const cast: Cast = { alice, bob, laptop: laptop!, phone: phone!, bobFile: join(bob.dir, 'bob.tox') }
  const app = await strangers(cast)
  await makePersona(cast)
  await publishFirst(cast)
  await firstDevice(cast, app)
  await addPhone(cast)
  await unconfirmedPhone(cast, app)
  await trustedPhone(cast, app)
  await impostor(cast)
  const words = await writeWordsDown(cast)
  const thief = await theft(cast, home)
  await rotation(cast, words)
  await shutOut(cast, thief)
  scene('Both daemons stop.')
  const statuses = [await alice.stopDaemon(), await bob.stopDaemon()]
  check('both stopped in order', statuses.join(' ') === '0 0')
}

await playStory('personad-demo-', async (home) => {
  const { values } = parseArgs({ options: { profiles: { type: 'string' }, generate: { type: 'boolean' } } })
  const from = values.profiles ?? REAL_PROFILES
  const isReal = values.generate !== true && copyProfiles(from, home)
  if (!isReal && values.profiles !== undefined) throw new Error(`no alice-laptop, alice-phone and bob.tox in ${from}`)
  if (!isReal) await makeProfiles(home)
  console.log('The story of personad, played by the real programs in a temporary directory.')
  console.log(isReal ? `The Tox profiles are copies of those in ${from}` : 'The demo makes its own Tox profiles.')
  await play(home)
})

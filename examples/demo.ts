/** `npm run demo`: two people, three profiles, an app and a thief: from two strangers to one person with two devices, and with one again. */
import { chmodSync, cpSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { InspectReport } from '../src/cli/tox/inspect.ts'
import type { OwnTable } from '../src/ipc/shapes/own.ts'
import type { DaemonStatus } from '../src/ipc/shapes/status.ts'
import type { Contact, LookupResult } from '../src/ipc/shapes/contact.ts'
import {
  anyOtherFriend,
  copyProfiles,
  deliver,
  makeProfiles,
  REAL_PROFILES,
  statusOf,
  toxPkOf,
} from './demo-profiles.ts'
import { endAll, Person, WhoIs } from './demo-stage.ts'

let scenes = 0
let claims = 0

/** A numbered step of the story, in words. */
function scene(title: string, ...lines: readonly string[]): void {
  console.log(`\n${++scenes}. ${title}`)
  for (const line of lines) console.log(`   ${line}`)
}

/** What the step has shown. @throws {Error} when it is not so */
function claim(what: string, isSo: boolean): void {
  if (!isSo) throw new Error(`not as claimed: ${what}`)
  claims++
  console.log(`   => ${what}`)
}

/** What the app prints of itself. @throws {Error} when it does not */
async function claimSaid(what: string, app: WhoIs, wanted: RegExp): Promise<void> {
  claim(what, await app.says(wanted))
}

/** Who plays, and the keys that are spoken of. */
interface Cast {
  readonly alice: Person
  readonly bob: Person
  readonly laptop: string
  readonly phone: string
  /** Bob's profile. */
  readonly bobFile: string
}

function keysOf(devices: readonly { readonly key: string }[]): string {
  return devices.map((device) => device.key).join(' ')
}

async function strangers({ bob, laptop, phone }: Cast): Promise<WhoIs> {
  scene(
    'Bob sees two strangers.',
    'Alice has a laptop and a phone. To Tox they are two people with two keys, and so they are in',
    "Bob's friend list. Bob starts a daemon and lets it read his Tox profile.",
  )
  await bob.startDaemon()
  await bob.types('tox', 'scan', 'bob.tox')
  await bob.types('contact', 'list')
  const [first, second] = [
    await bob.asks<LookupResult>('lookup', laptop),
    await bob.asks<LookupResult>('lookup', phone),
  ]
  claim(
    'the two keys are two contacts without a persona',
    first.contact?.kind === 'provisional' &&
      second.contact?.kind === 'provisional' &&
      first.contact.name !== second.contact.name,
  )
  console.log("   A small app (examples/who-is.ts) asks Bob's daemon who the laptop's key is, and keeps listening.")
  const app = new WhoIs(bob.appSocket, laptop)
  await claimSaid(
    'the app hears of a friend, and of no person behind it',
    app,
    /^answer: .*a friend without a persona$/,
  )
  return app
}

async function makePersona({ alice, laptop }: Cast): Promise<void> {
  scene(
    'Alice makes her persona.',
    'It is a signing key of her own, above all her devices. It signs a table: which devices are hers.',
  )
  await alice.startDaemon()
  await alice.types('init', '--device', 'laptop', '--tox-profile', 'alice-laptop.tox')
  await alice.types('device', 'list')
  const table = await alice.asks<OwnTable>('device', 'list')
  claim('her table holds the laptop, by the key of its Tox profile', keysOf(table.devices) === laptop)
  const { theftProtection } = await alice.asks<DaemonStatus>('status')
  claim('it says that she has yet to write down the recovery words ("persona recovery show")', !theftProtection)
}

async function publish(alice: Person, file: string): Promise<void> {
  const words = statusOf(join(alice.dir, file)).split(/ ?persona:/)[0]
  await alice.types('tox', 'publish', file)
  const { status } = await alice.asks<InspectReport>('tox', 'inspect', file)
  claim(
    `${file} shows the signed table of this device, and Alice's own words as before: "${words}"`,
    status.valid && status.listsSender === true && status.words === words && !status.overLimit,
  )
}

async function publishFirst({ alice }: Cast): Promise<void> {
  scene(
    'Alice publishes it.',
    'The table goes into her Tox status message, behind her own words. Every Tox client shows that text',
    'to all friends; no client has to change for it.',
  )
  await publish(alice, 'alice-laptop.tox')
}

/** The one thing that is played: no Tox client runs here. */
function carry({ alice, bobFile }: Cast, file: string): void {
  console.log(`   (Played: Tox carries it. Over the network Alice's client would now show what ${file}`)
  console.log("   has as its status message, and Bob's client would keep it in his profile. No Tox client runs in")
  console.log('   this demo: it copies the text into the record that bob.tox has of that device, as seen just now.)')
  const path = join(alice.dir, file)
  deliver(statusOf(path), toxPkOf(path), bobFile)
}

async function firstDevice(cast: Cast, app: WhoIs): Promise<void> {
  const { bob, laptop } = cast
  scene('Bob learns that the laptop is a device of a persona.')
  carry(cast, 'alice-laptop.tox')
  await bob.types('tox', 'scan', 'bob.tox')
  await bob.types('contact', 'show', 'Alice')
  const alice = await bob.asks<Contact>('contact', 'show', 'Alice')
  claim(
    'Alice is a persona with one device, confirmed: it was the laptop itself that showed her table',
    alice.kind === 'persona' && keysOf(alice.devices) === laptop && alice.claims.length === 0,
  )
  await claimSaid('the app was told, without asking again', app, /^event: .*message goes to laptop /)
}

async function addPhone({ alice, phone, laptop }: Cast): Promise<void> {
  scene(
    'Alice adds her phone, and makes it the active one.',
    'Friends are to write to the phone from now on. She publishes the new table on both devices.',
  )
  await alice.types('device', 'add', 'phone', '--tox-profile', 'alice-phone.tox')
  await alice.types('device', 'activate', 'phone')
  const table = await alice.asks<OwnTable>('device', 'list')
  claim('her table holds both, the phone first', keysOf(table.devices) === `${phone} ${laptop}`)
  await publish(alice, 'alice-laptop.tox')
  await publish(alice, 'alice-phone.tox')
}

async function claimedPhone(cast: Cast, app: WhoIs): Promise<void> {
  const { bob, laptop, phone } = cast
  scene(
    'Bob sees the new table on the laptop first: the phone is claimed, not more.',
    "Anybody could write anybody's key into a table. What the phone itself has not shown is not believed.",
  )
  carry(cast, 'alice-laptop.tox')
  await bob.types('tox', 'scan', 'bob.tox')
  await bob.types('contact', 'show', 'Alice')
  const alice = await bob.asks<Contact>('contact', 'show', 'Alice')
  claim(
    'the phone is claimed, and messages still go to the laptop',
    keysOf(alice.claims) === phone && alice.active === laptop && alice.activeUnconfirmed === phone,
  )
  await claimSaid('the app was told of the phone', app, /^event: Alice lists a new device, phone /)
  const still = /^event: .*message goes to laptop .*phone .* has not said itself/
  await claimSaid('and that it does not count yet', app, still)
}

async function confirmedPhone(cast: Cast, app: WhoIs): Promise<void> {
  const { bob, laptop, phone } = cast
  scene('The phone shows the same table: now it is confirmed, and the active one.')
  carry(cast, 'alice-phone.tox')
  await bob.types('tox', 'scan', 'bob.tox')
  await bob.types('contact', 'list')
  const { contact: alice } = await bob.asks<LookupResult>('lookup', phone)
  claim(
    'the two strangers are one person with two confirmed devices, the phone first',
    alice?.name === 'Alice' && keysOf(alice.devices) === `${phone} ${laptop}` && alice.claims.length === 0,
  )
  await claimSaid('the app was told where Alice is now', app, /^event: .*message goes to phone [^;]*$/)
  console.log("   Another app asks who the phone's key is.")
  const other = new WhoIs(bob.appSocket, phone)
  const answer = /^answer: phone .* is a device of Alice .*message goes to phone /
  await claimSaid("its answer is the same, for either of Alice's keys", other, answer)
}

async function impostor({ alice, bob, bobFile, laptop, phone }: Cast): Promise<void> {
  const { name, key } = anyOtherFriend(bobFile, [laptop, phone])
  scene(
    "Another friend shows a copy of Alice's status message: it binds nothing.",
    `(Played: the text of alice-phone.tox is put into the record of ${JSON.stringify(name)}.)`,
  )
  deliver(statusOf(join(alice.dir, 'alice-phone.tox')), key, bobFile)
  await bob.types('tox', 'scan', 'bob.tox')
  const person = await bob.asks<Contact>('contact', 'show', 'Alice')
  const { contact } = await bob.asks<LookupResult>('lookup', key)
  claim(
    "Alice has her two devices, and the other friend's is not one of them",
    keysOf(person.devices) === `${phone} ${laptop}` && contact?.kind === 'provisional' && contact.name !== 'Alice',
  )
}

/** @returns the words, which are on paper now and nowhere else */
async function writeWordsDown({ alice }: Cast): Promise<string> {
  scene(
    'Alice writes her recovery words down.',
    '24 words on paper give every later signing key; three of them, typed back, show that she has them.',
  )
  const { words } = await alice.asks<{ words: string[] }>('recovery', 'show')
  const three = [3, 11, 24].map((position) => `${position} ${words[position - 1]}`)
  await alice.typesSecretly(three.join('\n'), 'recovery', 'confirm')
  const { theftProtection } = await alice.asks<DaemonStatus>('status')
  claim('theft protection is on: no device has the words any more', theftProtection)
  return words.join(' ')
}

/** @returns who has all that the laptop had */
async function theft(cast: Cast, home: string): Promise<Person> {
  const { alice, bob, laptop, phone, bobFile } = cast
  scene(
    'The laptop is stolen, unlocked.',
    '(Played: a copy of all that it holds.) The thief has the signing key of this day, throws the phone out',
    'and adds a device of his own.',
  )
  await alice.stopDaemon()
  cpSync(alice.dir, join(home, 'thief'), { recursive: true })
  chmodSync(join(home, 'thief', 'home', 'state'), 0o700)
  rmSync(join(home, 'thief', 'home', 'run'), { recursive: true, force: true })
  await alice.startDaemon()
  const thief = new Person('thief', join(home, 'thief'))
  await thief.startDaemon()
  await thief.types('reconcile', '--force')
  await thief.types('device', 'remove', 'phone', '--retired')
  await thief.types('device', 'add', 'mine', '--key', anyOtherFriend(bobFile, [laptop, phone]).key)
  await thief.types('tox', 'publish', 'alice-laptop.tox')
  carry({ ...cast, alice: thief }, 'alice-laptop.tox')
  await bob.types('tox', 'scan', 'bob.tox')
  const person = await bob.asks<Contact>('contact', 'show', 'Alice')
  claim('friends see it, and have to believe it: it is signed by her key', keysOf(person.devices) === laptop)
  return thief
}

async function rotation(cast: Cast, words: string): Promise<void> {
  const { alice, bob, phone } = cast
  scene(
    'Alice takes her persona back, with the words, on her phone.',
    'The next key was committed to before the theft, and only the words have it.',
  )
  await alice.typesSecretly(words, 'device', 'remove', 'laptop', '--lost', '--epoch', '1', '--words-file', '-', '--yes')
  await publish(alice, 'alice-phone.tox')
  carry(cast, 'alice-phone.tox')
  await bob.types('tox', 'scan', 'bob.tox')
  const person = await bob.asks<Contact>('contact', 'show', 'Alice')
  const table = await alice.asks<OwnTable>('device', 'list')
  claim(
    'Bob follows: the same persona, the next key, the phone alone',
    keysOf(person.devices) === phone && person.epoch === 1 && person.personaId === table.personaId,
  )
}

async function shutOut(cast: Cast, thief: Person): Promise<void> {
  const { bob, phone } = cast
  scene('The thief signs on. Nobody follows.')
  await thief.types('device', 'rename', 'mine', 'still mine')
  await thief.types('tox', 'publish', 'alice-laptop.tox')
  carry({ ...cast, alice: thief }, 'alice-laptop.tox')
  await bob.types('tox', 'scan', 'bob.tox')
  const person = await bob.asks<Contact>('contact', 'show', 'Alice')
  claim('Alice is who has the phone, and the laptop is no device of hers', keysOf(person.devices) === phone)
  claim('the thief’s daemon ends in order, and that is all', (await thief.stopDaemon()) === 0)
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
  await claimedPhone(cast, app)
  await confirmedPhone(cast, app)
  await impostor(cast)
  const words = await writeWordsDown(cast)
  const thief = await theft(cast, home)
  await rotation(cast, words)
  await shutOut(cast, thief)
  scene('Both daemons are told to end.')
  const statuses = [await alice.stopDaemon(), await bob.stopDaemon()]
  claim('both ended in order', statuses.join(' ') === '0 0')
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { profiles: { type: 'string' }, generate: { type: 'boolean' } } })
  // The socket's path must stay below 108 bytes, and a link on the way would be refused.
  const home = realpathSync(mkdtempSync(join(tmpdir(), 'personad-demo-')))
  // However this ends, nothing of it is left running, and nothing on disk.
  process.once('exit', () => {
    endAll()
    rmSync(home, { recursive: true, force: true })
  })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
  const from = values.profiles ?? REAL_PROFILES
  const isReal = values.generate !== true && copyProfiles(from, home)
  if (!isReal && values.profiles !== undefined) throw new Error(`no alice-laptop, alice-phone and bob.tox in ${from}`)
  if (!isReal) await makeProfiles(home)
  console.log('The story of personad, with the real programs, in a directory that is removed afterwards.')
  console.log(isReal ? `The Tox profiles are copies of those in ${from}` : 'The Tox profiles are made for it.')
  await play(home)
  console.log(`\nAll ${claims} claims hold.`)
  process.exit(0)
}

try {
  await main()
} catch (error) {
  console.error(`\ndemo: ${error instanceof Error ? error.message : String(error)}`)
  process.exit(1)
}

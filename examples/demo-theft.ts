/** The last scenes of the demo: a thief has all that the laptop had, and Alice takes her persona back. */
import { chmodSync, cpSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { DaemonStatus } from '../src/ipc/methods/status.ts'
import type { Contact } from '../src/ipc/shapes/contact.ts'
import type { OwnTable } from '../src/ipc/shapes/own.ts'
import { anyOtherFriend } from './demo-profiles.ts'
import { Person } from './demo-stage.ts'
import { carry, check, keysOf, publish, scene, type Cast } from './demo-story.ts'

/** @returns the words, which are now only on paper */
export async function writeWordsDown({ alice }: Cast): Promise<string> {
  scene(
    'Alice writes her recovery words down.',
    '24 words on paper produce every later signing key. She types three of them back to prove that she has them.',
  )
  const { words } = await alice.asks<{ words: string[] }>('recovery', 'show')
  const three = [3, 11, 24].map((position) => `${position} ${words[position - 1]}`)
  await alice.typesSecretly(three.join('\n'), 'recovery', 'confirm')
  const { theftProtection } = await alice.asks<DaemonStatus>('status')
  check('theft protection is on: no device holds the words any more', theftProtection)
  return words.join(' ')
}

/** @returns the thief, who has everything that the laptop had */
export async function theft(cast: Cast, home: string): Promise<Person> {
  const { alice, bob, laptop, phone, bobFile } = cast
  scene(
    'The laptop is stolen, unlocked.',
    '(Simulated: a copy of all its files.) The thief has the current signing key, removes the phone',
    'and adds another device.',
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
  check('friends see it and accept it, because her key signed it', keysOf(person.devices) === laptop)
  return thief
}

export async function rotation(cast: Cast, words: string): Promise<void> {
  const { alice, bob, phone } = cast
  scene(
    'Alice takes her persona back, with the words, on her phone.',
    'Her first key committed to the next one, and only the words can produce it.',
  )
  await alice.typesSecretly(words, 'device', 'remove', 'laptop', '--lost', '--epoch', '1', '--words-file', '-', '--yes')
  await publish(alice, 'alice-phone.tox')
  carry(cast, 'alice-phone.tox')
  await bob.types('tox', 'scan', 'bob.tox')
  const person = await bob.asks<Contact>('contact', 'show', 'Alice')
  const table = await alice.asks<OwnTable>('device', 'list')
  check(
    'Bob follows: the same persona, the next key, only the phone',
    keysOf(person.devices) === phone && person.epoch === 1 && person.personaId === table.personaId,
  )
}

export async function shutOut(cast: Cast, thief: Person): Promise<void> {
  const { bob, phone } = cast
  scene('The thief goes on signing. Nobody follows.')
  await thief.types('device', 'rename', 'mine', 'still mine')
  await thief.types('tox', 'publish', 'alice-laptop.tox')
  carry({ ...cast, alice: thief }, 'alice-laptop.tox')
  await bob.types('tox', 'scan', 'bob.tox')
  const person = await bob.asks<Contact>('contact', 'show', 'Alice')
  check('Alice has the phone, and the laptop is not her device any more', keysOf(person.devices) === phone)
  check('the thief’s daemon stops in order', (await thief.stopDaemon()) === 0)
}

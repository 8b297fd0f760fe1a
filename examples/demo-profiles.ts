/** The Tox profiles of the demo, and the job of Tox clients in it: carrying a status message to a friend. */
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { equalBytes, formatHex } from '../src/core/encoding/bytes.ts'
import type { CryptoEngine } from '../src/crypto/engine.ts'
import { loadEngine } from '../src/crypto/load.ts'
import { encodeFriend, FRIEND_BYTES, readFriends, type ToxFriend } from '../src/tox/save/friends.ts'
import { newSave, type NewFriend } from '../src/tox/save/new-profile.ts'
import {
  decodeSave,
  encodeSave,
  readPublicKey,
  readStatusMessage,
  SECTION_FRIENDS,
  sectionData,
  withSection,
  type ToxSave,
} from '../src/tox/save/savefile.ts'

/** Profiles that libtoxcore made, if they are beside the repository. */
export const REAL_PROFILES: string = fileURLToPath(new URL('../../shared/fixtures/tox/', import.meta.url))

const FILES = [
  ['alice', 'alice-laptop.tox'],
  ['alice', 'alice-phone.tox'],
  ['bob', 'bob.tox'],
] as const

/** Copies the three profiles, so that the originals stay as they are. @returns false if one of them is missing */
export function copyProfiles(from: string, home: string): boolean {
  if (!FILES.every(([, file]) => existsSync(join(from, file)))) return false
  for (const [person, file] of FILES) {
    mkdirSync(join(home, person), { recursive: true })
    copyFileSync(join(from, file), join(home, person, file))
    chmodSync(join(home, person, file), 0o600)
  }
  return true
}

/** Makes the three profiles: Bob has Alice's two devices and Erin as friends, and saw them an hour ago. */
export async function makeProfiles(home: string): Promise<void> {
  const engine = await loadEngine()
  const seenAtSec = nowSec() - 3600
  const people = ['Alice', 'Alice (phone)', 'Bob', 'Erin'].map((name) => ({ name, ...newKeys(engine) }))
  const [laptop, phone, bob] = people as [Known, Known, Known]
  const files = [laptop, phone, bob].map((owner, i) => {
    const friends = people.filter((friend) => friend !== owner).map((friend) => friendOf(friend, seenAtSec))
    const { name, secretKey, nospam } = owner
    const statusMessage = owner === laptop ? 'Working from the garden' : ''
    return { path: FILES[i]!, save: newSave({ name, statusMessage, secretKey, nospam, friends }, engine) }
  })
  for (const { path, save } of files) {
    mkdirSync(join(home, path[0]), { recursive: true })
    writeFileSync(join(home, ...path), encodeSave(save), { mode: 0o600 })
  }
}

interface Known {
  readonly name: string
  readonly secretKey: Uint8Array
  readonly publicKey: Uint8Array
  readonly nospam: Uint8Array
}

function newKeys(engine: CryptoEngine): Omit<Known, 'name'> {
  const secretKey = engine.randomBytes(32)
  return { secretKey, publicKey: engine.boxPublicKey(secretKey), nospam: engine.randomBytes(4) }
}

function friendOf({ name, publicKey }: Known, lastSeenSec: number): NewFriend {
  return { name, publicKey, statusMessage: 'hello', lastSeenSec }
}

/** ToxPk of a profile, 64 upper-case hex digits. */
export function toxPkOf(file: string): string {
  return formatHex(readPublicKey(readSave(file)))
}

/** The status message that the owner of a profile shows. */
export function statusOf(file: string): string {
  return readStatusMessage(readSave(file)).text
}

/** The first friend in a profile that has none of these keys. */
export function anyOtherFriend(file: string, keys: readonly string[]): { name: string; key: string } {
  const friend = readFriends(readSave(file)).friends.find(({ publicKey }) => !keys.includes(formatHex(publicKey)))
  if (friend === undefined) throw new Error(`${file} has no friend besides Alice's devices`)
  return { name: friend.name.text, key: formatHex(friend.publicKey) }
}

/**
 * Does the work of the Tox network and the friend's client: puts the text into the record of the device that shows it, seen just now.
 * @param from ToxPk of the device that shows it
 */
export function deliver(text: string, from: string, file: string): void {
  const save = readSave(file)
  const friend = readFriends(save).friends.find(({ publicKey }) => formatHex(publicKey) === from)
  const records = sectionData(save, SECTION_FRIENDS)?.slice()
  if (friend === undefined || records === undefined) throw new Error(`${file} has no friend ${from}`)
  records.set(recordWith(friend, text), friend.index * FRIEND_BYTES)
  const bytes = encodeSave(withSection(save, SECTION_FRIENDS, records))
  writeFileSync(file, bytes)
  if (!equalBytes(readFileSync(file), bytes)) throw new Error(`${file} was not written whole`)
}

function recordWith({ publicKey, name }: ToxFriend, text: string): Uint8Array {
  return encodeFriend({
    publicKey,
    name: name.bytes,
    statusMessage: new TextEncoder().encode(text),
    lastSeenSec: nowSec(),
  })
}

function readSave(file: string): ToxSave {
  return decodeSave(readFileSync(file))
}

function nowSec(): number {
  return Math.floor(Date.now() / 1000)
}

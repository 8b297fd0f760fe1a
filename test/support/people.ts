/**
 * The profiles of the story: Alice with two devices, and Bob who has both as friends. Uses the real profiles if they
 * are present.
 */
import { chmodSync, copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { concatBytes, encodeUtf8, equalBytes } from '../../src/core/encoding/bytes.ts'
import { portableEngine } from '../../src/crypto/portable.ts'
import { readFriends, encodeFriend } from '../../src/tox/save/friends.ts'
import { newSave, type NewFriend } from '../../src/tox/save/new-profile.ts'
import {
  SECTION_FRIENDS,
  decodeSave,
  encodeSave,
  readPublicKey,
  withSection,
  type ToxSave,
} from '../../src/tox/save/savefile.ts'
import { fixturesAbsence, toxFixtures } from './tox-fixtures.ts'

export const LAPTOP = 'alice-laptop.tox'
export const PHONE = 'alice-phone.tox'
export const BOB = 'bob.tox'

/** Which profiles are used, for test titles. */
export const whose: string = fixturesAbsence === null ? 'real profiles' : 'made-up profiles'

/** Puts the three profiles into a directory. */
export function putProfiles(directory: string): void {
  for (const [i, file] of [LAPTOP, PHONE, BOB].entries()) {
    const path = join(directory, file)
    const fixture = toxFixtures.find((known) => known.file === file)
    if (fixture === undefined) writeFileSync(path, encodeSave(madeUp(i)))
    else copyFileSync(fixture.path, path)
    chmodSync(path, 0o600)
  }
}

const NAMES = ['Alice', 'Alice (phone)', 'Bob'] as const
const STATUS = ['Working from the garden', 'on the road', 'brb'] as const

function secretOf(person: number): Uint8Array {
  return new Uint8Array(32).fill(person + 1)
}

function madeUp(i: number): ToxSave {
  const friends: NewFriend[] = [0, 1, 2]
    .filter((person) => person !== i)
    .map((person) => ({
      publicKey: portableEngine.boxPublicKey(secretOf(person)),
      name: NAMES[person]!,
      statusMessage: STATUS[person]!,
      lastSeenSec: 1_700_000_000,
    }))
  const [name, statusMessage] = [NAMES[i]!, STATUS[i]!]
  return newSave(
    { name, statusMessage, secretKey: secretOf(i), nospam: Uint8Array.of(1, 2, 3, i), friends },
    portableEngine,
  )
}

export function readSave(path: string): ToxSave {
  return decodeSave(new Uint8Array(readFileSync(path)))
}

export function writeSave(path: string, save: ToxSave): void {
  writeFileSync(path, encodeSave(save))
}

/**
 * Does what a Tox client does when a friend comes online: stores the friend's status message and the time in the
 * record.
 */
export function seeFriend(
  path: string,
  friend: Uint8Array,
  statusMessage: string | Uint8Array,
  lastSeenSec: number,
): void {
  const save = readSave(path)
  let found = 0
  const records = readFriends(save).friends.map(({ publicKey, name, statusMessage: shown, lastSeenSec: seenSec }) => {
    if (!equalBytes(publicKey, friend))
      return encodeFriend({ publicKey, name: name.bytes, statusMessage: shown.bytes, lastSeenSec: seenSec })
    found++
    const bytes = typeof statusMessage === 'string' ? encodeUtf8(statusMessage) : statusMessage
    return encodeFriend({ publicKey, name: name.bytes, statusMessage: bytes, lastSeenSec })
  })
  if (found !== 1) throw new Error(`the friend is there ${found} times`)
  writeSave(path, withSection(save, SECTION_FRIENDS, concatBytes(...records)))
}

export function keyOf(path: string): Uint8Array {
  return readPublicKey(readSave(path))
}

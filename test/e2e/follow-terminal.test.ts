import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { formatHex } from '../../src/core/encoding/bytes.ts'
import { readFriends } from '../../src/tox/save/friends.ts'
import { newSave } from '../../src/tox/save/new-profile.ts'
import { encodeSave } from '../../src/tox/save/savefile.ts'
import { readSave } from '../support/people.ts'
import { Home } from '../support/persona.ts'
import { engine, publicKeyOf, secretKeyOf } from '../support/tox-people.ts'
import { SCRIPT, Typist } from '../support/typist.ts'

const absence = existsSync(SCRIPT) ? '' : ` (skipped: no ${SCRIPT})`
const PHONE = formatHex(publicKeyOf(2))
const TABLET = formatHex(publicKeyOf(3))

let home: Home
let profile: string

beforeEach(async () => {
  home = new Home()
  profile = join(home.directory, 'laptop.tox')
  const me = { name: 'Me', statusMessage: '', nospam: Uint8Array.of(1, 2, 3, 4) }
  const save = newSave({ ...me, secretKey: secretKeyOf(1), friends: [] }, engine)
  writeFileSync(profile, encodeSave(save), { mode: 0o600 })
  await home.start()
  await home.done(['init', '--device', 'laptop', '--tox-profile', profile])
  await home.done(['device', 'add', 'phone', '--key', PHONE])
  await home.done(['device', 'add', 'tablet', '--key', TABLET])
})

const friends = (): string[] => readFriends(readSave(profile)).friends.map(({ publicKey }) => formatHex(publicKey))

describe.skipIf(absence !== '')(`follow --ask on a terminal${absence}`, () => {
  test('adds the device after a yes, and lists the other one after a no', async () => {
    const typist = new Typist(home, ['tox', 'follow', profile, '--ask'])
    expect(await typist.until('[y/N] ')).toContain('Add phone')
    typist.type('y\r')
    expect(await typist.until('[y/N] ')).toContain('Add tablet')
    typist.type('n\r')
    await typist.until('not added')
    await typist.until('you answered no')
    expect(await typist.end()).toBe(0)
    expect(friends()).toEqual([PHONE])
  })

  test.each(['\r', 'yet\r', ' N\r'])('reads %j as no', async (answer) => {
    const before = readFileSync(profile)
    const typist = new Typist(home, ['tox', 'follow', profile, '--ask'])
    for (let i = 0; i < 2; i++) {
      await typist.until('[y/N] ')
      typist.type(answer)
    }
    await typist.until('it was not changed')
    expect(await typist.end()).toBe(0)
    expect(readFileSync(profile).equals(before)).toBe(true)
  })

  test.each(['\x03', '\x04'])('writes nothing after %j, even if one device got a yes', async (key) => {
    const before = readFileSync(profile)
    const typist = new Typist(home, ['tox', 'follow', profile, '--ask'])
    await typist.until('[y/N] ')
    typist.type('yes\r')
    await typist.until('[y/N] ')
    typist.type(key)
    await typist.until('Cancelled.')
    expect(await typist.end()).toBe(1)
    expect(readFileSync(profile).equals(before)).toBe(true)
    expect(readdirSync(home.directory).filter((name) => name.includes('.backup-'))).toEqual([])
  })
})

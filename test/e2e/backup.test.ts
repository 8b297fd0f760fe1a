import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { OwnTable } from '../../src/ipc/shapes/own.ts'
import { LAPTOP, PHONE, BOB, keyOf, putProfiles, readSave, seeFriend } from '../support/people.ts'
import { Home } from '../support/persona.ts'
import { readStatusMessage } from '../../src/tox/save/savefile.ts'

const NOW = Math.floor(Date.now() / 1000)

async function withPersona(): Promise<{ home: Home; at: (file: string) => string }> {
  const home = new Home()
  const at = (file: string): string => join(home.directory, file)
  putProfiles(home.directory)
  writeFileSync(at('passphrase'), 'a backup of mine\n')
  await home.start()
  await home.done(['init', '--device', 'laptop', '--tox-profile', LAPTOP])
  await home.done(['device', 'add', 'phone', '--tox-profile', PHONE])
  await home.done(['tox', 'scan', LAPTOP])
  return { home, at }
}

async function freshHome(from: (file: string) => string, files: readonly string[]): Promise<Home> {
  const home = new Home()
  for (const file of files) writeFileSync(join(home.directory, file), readFileSync(from(file)), { mode: 0o600 })
  await home.start()
  return home
}

describe('persona backup and restore', () => {
  test('restore the persona on another machine, where it signs nothing until a copy of its table was read', async () => {
    const { home, at } = await withPersona()
    const sealed = ['--passphrase-file', 'passphrase']
    await home.done(['backup', 'all.persona', ...sealed])
    expect(statSync(at('all.persona')).mode & 0o777).toBe(0o600)
    expect(await home.failure(['backup', 'all.persona', ...sealed])).toBe('1 FILE_EXISTS')
    await home.done(['backup', 'all.persona', '--force', ...sealed])
    writeFileSync(at('words.txt'), await home.done(['blob']))

    const other = await freshHome(at, ['all.persona', 'passphrase', 'words.txt'])
    const bytes = readFileSync(at('all.persona'))
    writeFileSync(join(other.directory, 'cut.persona'), bytes.subarray(0, bytes.length - 1))
    writeFileSync(join(other.directory, 'short.persona'), bytes.subarray(0, 20))
    writeFileSync(join(other.directory, 'wrong'), 'another passphrase')
    expect(await other.failure(['restore', 'cut.persona', ...sealed])).toMatch(/^1 (SEAL_WRONG_PASSPHRASE|BACKUP_)/)
    expect(await other.failure(['restore', 'short.persona', ...sealed])).toBe('1 BACKUP_FILE')
    expect(await other.failure(['restore', 'nothing.persona', ...sealed])).toBe('1 BACKUP_FILE')
    expect(await other.failure(['restore', 'words.txt', ...sealed])).toBe('1 BACKUP_NOT_ONE')
    expect(await other.failure(['restore', 'all.persona', '--passphrase-file', 'wrong'])).toBe(
      '1 SEAL_WRONG_PASSPHRASE',
    )
    expect(await other.failure(['device', 'list'])).toBe('1 NO_PERSONA')

    await other.done(['restore', 'all.persona', ...sealed])
    expect(await other.json(['device', 'list'])).toEqual(await home.json(['device', 'list']))
    expect(await other.failure(['restore', 'all.persona', ...sealed])).toBe('1 PERSONA_EXISTS')
    expect(await other.failure(['device', 'rename', 'phone', 'mobile'])).toBe('1 RESTORE_UNRECONCILED')
    expect(await other.failure(['blob'])).toBe('1 RESTORE_UNRECONCILED')
    await other.stop()
    await other.start()
    expect(await other.failure(['device', 'rename', 'phone', 'mobile'])).toBe('1 RESTORE_UNRECONCILED')
    expect((await other.run(['reconcile', 'passphrase'])).status).toBe(1)
    await other.done(['reconcile', 'words.txt'])
    await other.done(['unlock', ...sealed])
    await other.done(['device', 'rename', 'phone', 'mobile'])
  })
})

describe('persona recover', () => {
  test('brings the persona back from the recovery words and a friend’s profile, under a new key', async () => {
    const { home, at } = await withPersona()
    const { words } = (await home.json(['recovery', 'show'])) as { words: string[] }
    await home.done(['tox', 'publish', LAPTOP])
    const shown = readStatusMessage(readSave(at(LAPTOP))).text
    seeFriend(at(BOB), keyOf(at(LAPTOP)), shown, NOW - 60)
    const before = (await home.json(['device', 'list'])) as OwnTable

    const other = await freshHome(at, [BOB, PHONE])
    writeFileSync(join(other.directory, 'words'), words.map((word, i) => `${i + 1} ${word}`).join('\n'))
    const device = ['--device', 'new phone', '--tox-profile', PHONE]
    const recover = ['recover', '--words-file', 'words', ...device]
    expect(await other.failure([...recover, '--from', BOB])).toBe('2 USAGE')
    expect(await other.failure([...recover, '--yes'])).toBe('1 EPOCH_UNSURE')
    const result = (await other.json([...recover, '--yes', '--from', BOB, '--keep', 'laptop'])) as { table: OwnTable }
    expect(result.table.personaId).toBe(before.personaId)
    expect(result.table.epoch).toBe(1)
    expect(result.table.devices.map(({ name }) => name)).toEqual(['laptop', 'new phone'])
    await home.done(['verify', await other.done(['blob'])])
  })
})

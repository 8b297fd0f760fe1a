import {
  existsSync,
  mkdirSync,
  promises,
  readFileSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { DurableFs } from '../../../../src/durable/file.ts'
import {
  createProfile,
  readProfile,
  writeProfile,
  type CreateProfileOptions,
} from '../../../../src/tox/profile/profile-file.ts'
import { encodeSave, type ToxSave } from '../../../../src/tox/save/savefile.ts'
import { fakeMachine } from '../../../support/fake-machine.ts'
import { tempDir } from '../../../support/temp-dir.ts'
import { codeOfAsync, engine, nine } from '../../../support/tox-people.ts'

const NOW = 1_790_000_000

function place(): { directory: string; file: string; options: CreateProfileOptions } {
  const directory = tempDir()
  mkdirSync(join(directory, 'profiles'))
  const options = { engine, passphrase: null, nowSec: NOW, machine: fakeMachine(directory) }
  return { directory: join(directory, 'profiles'), file: join(directory, 'profiles', 'nine.tox'), options }
}

describe('a new profile', () => {
  test('is whole, readable only by its owner, and leaves no other file', async () => {
    const { directory, file, options } = place()
    expect(await createProfile(file, nine(), options)).toEqual({ path: file, backup: null })
    expect(new Uint8Array(readFileSync(file))).toEqual(encodeSave(nine()))
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(readdirSync(directory)).toEqual(['nine.tox'])
  })

  test('is encrypted on request', async () => {
    const { file, options } = place()
    await createProfile(file, nine(), { ...options, passphrase: 'correct horse' })
    const { isEncrypted, save } = await readProfile(file, { engine, passphrase: 'correct horse' })
    expect([isEncrypted, encodeSave(save)]).toEqual([true, encodeSave(nine())])
  })

  test('never replaces a file, even one that appears at the last moment', async () => {
    const { directory, file, options } = place()
    const late: DurableFs = {
      open: (path, flags, mode) => {
        if (path.endsWith('.tmp')) writeFileSync(file, 'somebody else')
        return promises.open(path, flags, mode)
      },
      rename: promises.rename,
      unlink: promises.unlink,
      readdir: (path) => promises.readdir(path),
    }
    expect(await codeOfAsync(createProfile(file, nine(), { ...options, fs: late }))).toBe('TOX_FILE_EXISTS')
    expect(await codeOfAsync(createProfile(file, nine(), options))).toBe('TOX_FILE_EXISTS')
    expect(readFileSync(file, 'utf8')).toBe('somebody else')
    expect(readdirSync(directory)).toEqual(['nine.tox'])
  })

  test('does not follow a link that leads nowhere', async () => {
    const { directory, file, options } = place()
    symlinkSync(join(directory, 'elsewhere'), file)
    expect(await codeOfAsync(createProfile(file, nine(), options))).toBe('TOX_FILE_EXISTS')
    expect(await codeOfAsync(createProfile(file, nine(), { ...options, force: true }))).toBe('TOX_FILE_MISSING')
    expect(existsSync(join(directory, 'elsewhere'))).toBe(false)
  })

  test('replaces a file with force and makes a backup, but not while a client runs', async () => {
    const { file, options } = place()
    writeFileSync(file, 'what was there')
    const forced = { ...options, force: true }
    const lock = file.replace('.tox', '.lock')
    writeFileSync(lock, 'not a lock of anybody')
    expect(await codeOfAsync(createProfile(file, nine(), forced))).toBe('TOX_CLIENT_RUNNING')
    expect(readFileSync(file, 'utf8')).toBe('what was there')
    await promises.unlink(lock)
    const { backup } = await createProfile(file, nine(), forced)
    expect(readFileSync(backup!, 'utf8')).toBe('what was there')
    expect(new Uint8Array(readFileSync(file))).toEqual(encodeSave(nine()))
  })

  test('is not written when no client could load it', async () => {
    const { file, options } = place()
    const keyless: ToxSave = { ...nine(), sections: nine().sections.slice(1) }
    expect(await codeOfAsync(createProfile(file, keyless, options))).toBe('TOX_NO_KEYS')
    expect(existsSync(file)).toBe(false)
  })
})

describe('a profile that changes its encryption', () => {
  test('opens only with the new passphrase, then without one', async () => {
    const { file, options } = place()
    await createProfile(file, nine(), options)
    const plain = await readProfile(file, { engine })
    await writeProfile(plain, plain.save, { ...options, passphrase: 'unused', newPassphrase: 'correct horse' })
    expect(await codeOfAsync(readProfile(file, { engine, passphrase: 'unused' }))).toBe('TOX_WRONG_PASSPHRASE')
    const sealed = await readProfile(file, { engine, passphrase: 'correct horse' })
    const open = { engine, nowSec: NOW, machine: options.machine!, newPassphrase: null }
    expect(await codeOfAsync(writeProfile(sealed, sealed.save, { ...open, passphrase: 'wrong' }))).toBe(
      'TOX_WRONG_PASSPHRASE',
    )
    await writeProfile(sealed, sealed.save, { ...open, passphrase: 'correct horse' })
    expect(new Uint8Array(readFileSync(file))).toEqual(encodeSave(nine()))
  })
})

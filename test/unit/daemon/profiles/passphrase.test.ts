import { chmodSync, symlinkSync, writeFileSync } from 'node:fs'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { CREDENTIAL_NAME, readToxPassphrase } from '../../../../src/daemon/profiles/passphrase.ts'
import { watchedPlaces } from '../../../../src/daemon/profiles/places.ts'
import { expandHome } from '../../../../src/process/config-values.ts'
import { tempDir } from '../../../support/temp-dir.ts'
import { codeOfAsync } from '../../../support/tox-people.ts'

function file(content: string | Uint8Array, mode = 0o600): string {
  const path = join(tempDir(), 'passphrase')
  writeFileSync(path, content)
  chmodSync(path, mode)
  return path
}

test('the passphrase is the content of the file without its line end', async () => {
  expect(await readToxPassphrase(file(' two words \r\n'), {})).toBe(' two words ')
  expect(await readToxPassphrase(file('a\n\n'), {})).toBe('a\n')
})

test('without a file, the credential of the service is read, with any mode; without both there is no passphrase', async () => {
  const directory = tempDir()
  const env = { CREDENTIALS_DIRECTORY: directory }
  expect(await readToxPassphrase(null, env)).toBe(null)
  writeFileSync(join(directory, CREDENTIAL_NAME), 'credential\n', { mode: 0o440 })
  expect(await readToxPassphrase(null, env)).toBe('credential')
  expect(await readToxPassphrase(file('named'), env)).toBe('named')
  expect(await readToxPassphrase(null, {})).toBe(null)
  expect(await readToxPassphrase(null, { CREDENTIALS_DIRECTORY: 'relative' })).toBe(null)
})

test.each([
  ['readable by the group', () => file('x', 0o640), 'TOX_FILE_UNREADABLE'],
  ['readable by others', () => file('x', 0o604), 'TOX_FILE_UNREADABLE'],
  ['4097 bytes long', () => file('x'.repeat(4097)), 'TOX_FILE_UNREADABLE'],
  ['not UTF-8', () => file(Uint8Array.of(0xff)), 'TOX_FILE_UNREADABLE'],
  ['a directory', () => tempDir(), 'TOX_FILE_UNREADABLE'],
  ['not there', () => join(tempDir(), 'none'), 'TOX_FILE_MISSING'],
  [
    'a pipe that nobody writes to',
    () => {
      const path = join(tempDir(), 'fifo')
      execFileSync('mkfifo', ['-m', '600', path])
      return path
    },
    'TOX_FILE_UNREADABLE',
  ],
  [
    'a ring of links',
    () => {
      const path = join(tempDir(), 'ring')
      symlinkSync(path, path)
      return path
    },
    'TOX_FILE_UNREADABLE',
  ],
])('a passphrase file is refused if it is %s', async (_what, make, code) => {
  expect(await codeOfAsync(readToxPassphrase(make(), {}))).toBe(code)
})

test('a passphrase may have 4096 bytes', async () => {
  expect(await readToxPassphrase(file('x'.repeat(4096)), {})).toHaveLength(4096)
})

test('auto means the usual places, off means none, and paths are resolved', () => {
  const env = { HOME: '/home/u' }
  expect(watchedPlaces('off', env)).toEqual([])
  expect(watchedPlaces('auto', env)[0]).toBe('/home/u/.config/tox')
  expect(watchedPlaces(['~/tox', '/srv/../srv/bot.tox', '~/'], env)).toEqual(['/home/u/tox', '/srv/bot.tox', '/home/u'])
  expect(expandHome('~/a', { HOME: '' })).toMatch(/^\/.*\/a$/)
})

import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parseTimeSpan } from '../../../../src/cli/io/time-span.ts'
import { CliError } from '../../../../src/cli/io/errors.ts'
import { readFileBytes, readPassphraseFile, readWordsFile } from '../../../../src/cli/io/input.ts'
import { obtainPassphrase } from '../../../../src/cli/io/passphrase.ts'
import { tempDir } from '../../../support/temp-dir.ts'

function file(content: string | Uint8Array): string {
  const path = join(tempDir(), 'given')
  writeFileSync(path, content)
  return path
}

async function refusal(work: Promise<unknown>): Promise<CliError> {
  const error = await work.then(
    () => null,
    (error: unknown) => error,
  )
  if (error instanceof CliError) return error
  throw new Error('nothing was refused', { cause: error })
}

test('a passphrase file counts without its line end, and otherwise whole', async () => {
  expect(await readPassphraseFile(file('correct horse\n'))).toBe('correct horse')
  expect(await readPassphraseFile(file('correct horse\r\n'))).toBe('correct horse')
  expect(await readPassphraseFile(file(' two \n\n'))).toBe(' two \n')
  expect(await readPassphraseFile(file('ключ'))).toBe('ключ')
})

test('a passphrase can come from a pipe', async () => {
  const path = join(tempDir(), 'pipe')
  execFileSync('mkfifo', [path])
  const reading = readPassphraseFile(path)
  writeFileSync(path, 'through a pipe\n')
  expect(await reading).toBe('through a pipe')
})

test('a passphrase has at most 1024 characters', async () => {
  expect(await readPassphraseFile(file('x'.repeat(1024)))).toHaveLength(1024)
  expect((await refusal(readPassphraseFile(file('x'.repeat(1025))))).code).toBe('PASSPHRASE_FILE')
})

test('an unusable passphrase file is refused without quoting it', async () => {
  const wrong = ['', '\n', 'secret'.repeat(700), Uint8Array.of(0xff, 0xfe, 0x41)]
  expect(wrong).toHaveLength(4)
  for (const content of wrong) {
    const error = await refusal(readPassphraseFile(file(content)))
    expect(error.code).toBe('PASSPHRASE_FILE')
    expect(error.message).not.toContain('secret')
  }
})

test('the error for a missing file names the file', async () => {
  const path = join(tempDir(), 'nothing')
  const error = await refusal(readPassphraseFile(path))
  expect(error).toMatchObject({ code: 'PASSPHRASE_FILE', message: `cannot read ${path} (ENOENT)` })
})

test('an unusable file of recovery words is refused with WORDS_FILE', async () => {
  const wrong = ['', 'abandon '.repeat(600), Uint8Array.of(0xff, 0xfe, 0x41)]
  expect(wrong).toHaveLength(3)
  for (const path of [...wrong.map(file), join(tempDir(), 'nothing')]) {
    const error = await refusal(readWordsFile(path))
    expect(error.code).toBe('WORDS_FILE')
    expect(error.message).not.toMatch(/passphrase|abandon/)
  }
})

test('without a terminal and a file, the hint names the option', async () => {
  const error = await refusal(obtainPassphrase({ file: undefined, option: '--passphrase-file' }, 'Passphrase: '))
  expect(error.code).toBe('NO_TERMINAL')
  expect(error.hint).toContain('--passphrase-file')
})

test('a time span needs a unit and stays within the limit of the daemon', () => {
  expect(['90m', '12h', '3660d', '1w'].map(parseTimeSpan)).toEqual([5400, 43_200, 3660 * 86_400, 604_800])
  for (const text of ['', '0d', '30', 'd', '3661d', '99999w']) expect(() => parseTimeSpan(text), text).toThrow(CliError)
})

describe('a file to send', () => {
  test.each([
    [3, 'INPUT_TOO_LONG'],
    [4, null],
    [5, null],
  ])('of 4 bytes, where %i may be sent: %s', async (maxBytes, code) => {
    const read = readFileBytes(file('abcd'), maxBytes)
    if (code === null) expect(Buffer.from(await read).toString()).toBe('abcd')
    else expect(await refusal(read)).toMatchObject({ code, hint: expect.stringContaining('give less') as string })
  })

  test('that is not there is an error with its name', async () => {
    const error = await refusal(readFileBytes('/nowhere/file', 5))
    expect([error.code, error.message]).toEqual(['FILE_UNREADABLE', 'cannot read /nowhere/file (ENOENT)'])
  })
})

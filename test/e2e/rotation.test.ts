/** A device is stolen: the owner rotates by the real programs, and the friend's daemon follows. */
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeEach, describe, expect, test } from 'vitest'
import type { EditResult, OwnTable } from '../../src/ipc/shapes/own.ts'
import type { Contact } from '../../src/ipc/shapes/contact.ts'
import type { LeaveResult, RotationPlan } from '../../src/ipc/shapes/rotation.ts'
import { OWN_LAPTOP, OWN_PHONE } from '../support/keeper.ts'
import { deviceKey } from '../support/person.ts'
import { Home } from '../support/persona.ts'
import { launcherOf } from '../support/programs.ts'

let home: Home
let wordsFile: string
let words: string

beforeEach(async () => {
  home = new Home()
  await home.start()
  await home.done(['init', '--device', 'laptop', '--key', OWN_LAPTOP])
  const shown = (await home.json(['recovery', 'show'])) as { words: string[] }
  words = shown.words.join(' ')
  wordsFile = join(home.directory, 'words')
  // In the form in which `recovery show` prints them and people write them down.
  writeFileSync(wordsFile, shown.words.map((word, i) => `${i + 1}. ${word}`).join('\n'), { mode: 0o600 })
  await home.done(['recovery', 'confirm'], { stdin: [1, 2, 3].map((n) => `${n} ${shown.words[n - 1]!}`).join('\n') })
  await home.done(['device', 'add', 'phone', '--key', OWN_PHONE])
})

async function ownText(): Promise<string> {
  return ((await home.json(['blob'])) as { text: string }).text
}

describe('a stolen phone', () => {
  test('is shut out by one command, and a contact who follows has only the laptop', async () => {
    const friend = new Home()
    await friend.start()
    await friend.done(['observe', await ownText(), '--from', OWN_PHONE, '--name', 'Alice'])
    await friend.done(['observe', await ownText(), '--from', OWN_LAPTOP, '--name', 'Alice'])
    const lost = ['device', 'remove', 'phone', '--lost', '--words-file', wordsFile]
    expect(await home.failure([...lost, '--yes'])).toBe('1 EPOCH_UNSURE')
    const unsure = await home.run([...lost, '--yes'])
    expect(unsure.stderr).toMatch(/hint: .*--epoch 1/)
    const plan = (await home.json([...lost, '--epoch', '1', '--dry-run'])) as RotationPlan
    expect(plan).toMatchObject({
      fromEpoch: 0,
      epoch: 1,
      devices: [{ name: 'laptop' }],
      leftOut: [{ name: 'phone', why: 'named' }],
    })
    expect(await home.failure([...lost, '--epoch', '1'])).toBe('2 USAGE')
    const done = await home.run([...lost, '--epoch', '1', '--yes'])
    expect(done).toMatchObject({ status: 0 })
    expect(done.stderr).toMatch(/left out: phone \S+ \(as you asked\)/)
    expect(done.stdout).toMatch(/^rotated: your new key now signs, and the old key is erased on this device\n/)
    expect(done.stdout + done.stderr).not.toContain(words.split(' ').slice(0, 2).join(' '))
    await friend.done(['observe', await ownText(), '--from', OWN_LAPTOP])
    const alice = (await friend.json(['contact', 'show', 'Alice'])) as Contact
    expect(alice).toMatchObject({ epoch: 1, active: OWN_LAPTOP })
    expect(alice.devices).toHaveLength(1)
    expect(alice.others).toMatchObject([{ key: OWN_PHONE, state: 'former' }])
  }, 30_000)

  test('needs --lost or --retired if there is no terminal to ask', async () => {
    expect(await home.failure(['device', 'remove', 'phone'])).toBe('2 USAGE')
    expect(await home.failure(['device', 'remove', 'phone', '--lost', '--retired'])).toBe('2 USAGE')
    expect(await home.failure(['device', 'remove', 'phone', '--retired', '--epoch', '3'])).toBe('2 USAGE')
    for (const option of ['--epoch=3', '--keep=phone', '--without=phone', '--since=2026-01-01', '--dry-run']) {
      expect(await home.failure(['rotate', '--follow', option, '--words-file', wordsFile]), option).toBe('2 USAGE')
    }
    expect(await home.failure(['rotate', '--epoch', '17', '--dry-run'])).toBe('2 USAGE')
    expect(await home.failure(['rotate', '--follow', '--words-file', wordsFile])).toBe('1 NOTHING_TO_FOLLOW')
    expect(await home.done(['device', 'remove', 'phone', '--retired'])).toMatch(/the removed device is not shut out/)
    expect(((await home.json(['device', 'list'])) as OwnTable).devices).toHaveLength(1)
  })

  test.each([
    [['rotate', '--epoch', 'x']],
    [['rotate', '--since', 'yesterday']],
    [['rotate', '--since', '2026-13-01']],
  ])('gains nothing from a wrong command: %s', async (args) => {
    expect(await home.failure([...args, '--yes'])).toBe('2 USAGE')
  })
})

describe('the words', () => {
  test('are checked without changing anything, from stdin, a file, or a file descriptor, and never from argv', async () => {
    expect(await home.json(['recovery', 'check', '--words-file', '-'], { stdin: words.toUpperCase() })).toEqual({
      belongs: true,
    })
    expect(await home.json(['recovery', 'check', '--words-file', wordsFile])).toEqual({ belongs: true })
    const byDescriptor = `exec "$0" "$1" recovery check --words-file /dev/fd/3 3<"$2"`
    const { stdout } = await promisify(execFile)(
      'sh',
      ['-c', byDescriptor, process.execPath, launcherOf('persona'), wordsFile],
      {
        env: { ...process.env, PERSONAD_HOME: home.directory },
      },
    )
    expect(stdout).toMatch(/^yes/)
    const other = `${'zoo '.repeat(23)}vote`
    const no = await home.run(['recovery', 'check', '--words-file', '-'], { stdin: other })
    expect([no.status, no.stdout]).toEqual([1, 'no, these are the recovery words of another persona\n'])
    expect(await home.failure(['recovery', 'check', '--words-file', '-'], { stdin: 'zoo '.repeat(24) })).toBe(
      '1 WORDS_CHECKSUM',
    )
    expect(await home.failure(['recovery', 'check'])).toBe('1 NO_TERMINAL')
    expect(await home.failure(['recovery', 'check', ...words.split(' ')])).toMatch(/^2 /)
  })

  test('rotate sixteen times, across restarts, after which the owner needs a new persona', async () => {
    for (const epoch of [1, 7, 16]) {
      const args = ['rotate', '--epoch', String(epoch), '--words-file', wordsFile, '--yes']
      expect(((await home.json(args)) as EditResult).table).toMatchObject({ epoch, seq: 1 })
      await home.stop()
      await home.start()
    }
    expect(await home.failure(['rotate', '--words-file', wordsFile, '--yes'])).toBe('1 EPOCHS_EXHAUSTED')
    await home.done(['device', 'add', 'tablet', '--key', deviceKey('own tablet')])
  }, 60_000)
})

describe('leaving', () => {
  test('removes the device, prints the status message for the others, and leaves no persona', async () => {
    expect(await home.failure(['leave'])).toBe('2 USAGE')
    const left = (await home.json(['leave', '--yes'])) as LeaveResult
    expect(left.remaining.map(({ name }) => name)).toEqual(['phone'])
    expect(left.local.map(({ name }) => name)).toEqual(['laptop'])
    const verdict = (await home.json(['verify', left.status!])) as { blob: { devices: unknown[] } }
    expect(verdict.blob.devices).toHaveLength(1)
    expect(await home.failure(['device', 'list'])).toBe('1 NO_PERSONA')
    await home.done(['init', '--device', 'laptop', '--key', deviceKey('another')])
  })
})

import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { removeLeftovers } from '../../../../src/durable/file.ts'
import { BACKUPS_KEPT } from '../../../../src/tox/profile/backups.ts'
import { decryptSave, encryptSave } from '../../../../src/tox/save/esave.ts'
import { FRIEND_BYTES } from '../../../../src/tox/save/friends.ts'
import {
  createProfile,
  readProfile,
  writeProfile,
  type ToxProfile,
  type WriteProfileOptions,
} from '../../../../src/tox/profile/profile-file.ts'
import { withStatusMessage } from '../../../../src/tox/save/status-message.ts'
import {
  MAX_PROFILE_BYTES,
  SECTION_FRIENDS,
  SECTION_KEYS,
  decodeSave,
  encodeSave,
  readStatusMessage,
  sectionData,
  withSection,
} from '../../../../src/tox/save/savefile.ts'
import { fakeMachine } from '../../../support/fake-machine.ts'
import { faultyFs, type FaultKind } from '../../../support/faulty-fs.ts'
import { tempDir } from '../../../support/temp-dir.ts'
import { codeOfAsync, engine, nine } from '../../../support/tox-people.ts'

const NOW = 1_800_000_000 // 2027-01-15T08:00:00Z
const OLD = encodeSave(nine())
const access = { engine }

interface Scene {
  readonly directory: string
  readonly path: string
  readonly options: WriteProfileOptions
}

function scene(bytes: Uint8Array = OLD): Scene {
  const home = tempDir()
  const directory = join(home, 'tox')
  mkdirSync(directory)
  const path = join(directory, 'nine.tox')
  writeFileSync(path, bytes, { mode: 0o600 })
  return { directory, path, options: { engine, nowSec: NOW, machine: fakeMachine(home) } }
}

async function publish(profile: ToxProfile, text: string, options: WriteProfileOptions): Promise<string> {
  return await writeProfile(profile, withStatusMessage(profile.save, text), options)
}

async function shown(path: string): Promise<string> {
  return readStatusMessage((await readProfile(path, access)).save).text
}

describe('reading', () => {
  test('returns when the file was written, in whole seconds', async () => {
    const { path } = scene()
    utimesSync(path, 1_700_000_000.9, 1_700_000_000.9)
    expect(await readProfile(path, access)).toMatchObject({ path, isEncrypted: false, fileMtimeSec: 1_700_000_000 })
  })

  test('refuses an encrypted profile without its passphrase', async () => {
    const { path } = scene(await encryptSave(OLD, 'secret', engine))
    expect(await codeOfAsync(readProfile(path, access))).toBe('TOX_ENCRYPTED')
    expect(await codeOfAsync(readProfile(path, { engine, passphrase: 'Secret' }))).toBe('TOX_WRONG_PASSPHRASE')
    const profile = await readProfile(path, { engine, passphrase: 'secret' })
    expect(profile.isEncrypted).toBe(true)
    expect(encodeSave(profile.save)).toEqual(OLD)
  })

  test('refuses a cut encrypted profile before asking for a passphrase', async () => {
    const whole = await encryptSave(OLD, 'secret', engine)
    for (const length of [8, 79, 80]) {
      const { path } = scene(whole.subarray(0, length))
      expect(await codeOfAsync(readProfile(path, access))).toBe('TOX_TRUNCATED')
    }
    const { path } = scene(whole.subarray(0, 81))
    expect(await codeOfAsync(readProfile(path, access))).toBe('TOX_ENCRYPTED')
  })

  test('refuses what is not a regular file, without waiting for a pipe', async () => {
    const { directory, path } = scene()
    const pipe = join(directory, 'pipe.tox')
    execFileSync('mkfifo', [pipe])
    expect(await codeOfAsync(readProfile(pipe, access))).toBe('TOX_FILE_UNREADABLE')
    expect(await codeOfAsync(readProfile(directory, access))).toBe('TOX_FILE_UNREADABLE')
    expect(await codeOfAsync(readProfile('/dev/zero', access))).toBe('TOX_FILE_UNREADABLE')
    expect(await codeOfAsync(readProfile(join(directory, 'none.tox'), access))).toBe('TOX_FILE_MISSING')
    expect(await codeOfAsync(readProfile(join(path, 'x'), access))).toBe('TOX_FILE_MISSING')
    truncateSync(path, MAX_PROFILE_BYTES + 1)
    expect(await codeOfAsync(readProfile(path, access))).toBe('TOX_TOO_LARGE')
    // Only the size can show that a file is too large to be an encrypted profile.
    writeFileSync(path, 'toxEsave')
    truncateSync(path, MAX_PROFILE_BYTES + 1)
    expect(await codeOfAsync(readProfile(path, access))).toBe('TOX_TOO_LARGE')
  })

  test('never returns a file half old and half new when it is written meanwhile', async () => {
    const { path } = scene()
    truncateSync(path, 8 * 1024 * 1024)
    const done = new AbortController()
    const reading = codeOfAsync(readProfile(path, access)).finally(() => done.abort())
    // Reading takes many turns of the event loop, and we write the file in each of them.
    for (let time = 1; !done.signal.aborted; time++) {
      utimesSync(path, time, time)
      await setImmediate()
    }
    expect(await reading).toBe('TOX_FILE_CHANGED')
  })
})

describe('writing', () => {
  test('leaves the new profile, mode 0600, and a backup of the old one', async () => {
    const { directory, path, options } = scene()
    chmodSync(path, 0o644)
    const backup = await publish(await readProfile(path, access), 'new', options)
    expect(await shown(path)).toBe('new')
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(backup).toBe(`${path}.backup-20270115T080000Z`)
    expect(new Uint8Array(readFileSync(backup))).toEqual(OLD)
    expect(statSync(backup).mode & 0o777).toBe(0o600)
    expect(readdirSync(directory)).toHaveLength(2)
  })

  test('refuses to write keys or a friend list that a client would load as none', async () => {
    const broken = [
      [withSection(nine(), SECTION_FRIENDS, new Uint8Array(FRIEND_BYTES + 1)), 'TOX_FRIENDS_NOT_WHOLE'],
      [withSection(nine(), SECTION_KEYS, new Uint8Array(68).fill(7)), 'TOX_BAD_KEYS'],
    ] as const
    for (const [save, code] of broken) {
      const { directory, path, options } = scene(encodeSave(save))
      expect(await codeOfAsync(publish(await readProfile(path, access), 'new', options))).toBe(code)
      const other = join(directory, 'other.tox')
      expect(await codeOfAsync(createProfile(other, save, { ...options, passphrase: null }))).toBe(code)
      expect(readdirSync(directory)).toHaveLength(1)
    }
  })

  test('keeps an encrypted profile encrypted under the same passphrase', async () => {
    const { path, options } = scene(await encryptSave(OLD, 'secret', engine))
    const profile = await readProfile(path, { engine, passphrase: 'secret' })
    expect(await codeOfAsync(publish(profile, 'new', options))).toBe('TOX_ENCRYPTED')
    expect(await codeOfAsync(publish(profile, 'new', { ...options, passphrase: 'typo' }))).toBe('TOX_WRONG_PASSPHRASE')
    await publish(profile, 'new', { ...options, passphrase: 'secret' })
    const plain = await decryptSave(new Uint8Array(readFileSync(path)), 'secret', engine)
    expect(readStatusMessage(decodeSave(plain)).text).toBe('new')
  })

  test('through a symbolic link replaces the profile and keeps the link', async () => {
    const { directory, path, options } = scene()
    const link = join(directory, 'link.tox')
    symlinkSync('nine.tox', link)
    await publish(await readProfile(link, access), 'new', options)
    expect(await shown(path)).toBe('new')
    expect(
      readdirSync(directory, { withFileTypes: true })
        .find(({ name }) => name === 'link.tox')!
        .isSymbolicLink(),
    ).toBe(true)
  })

  test('is refused while a client runs, unless forced', async () => {
    const { path, options } = scene()
    const running = fakeMachine(tempDir(), [{ pid: 7, args: ['toxic', '-f', path], cwd: '/' }])
    const profile = await readProfile(path, access)
    expect(await codeOfAsync(publish(profile, 'new', { ...options, machine: running }))).toBe('TOX_CLIENT_RUNNING')
    expect(new Uint8Array(readFileSync(path))).toEqual(OLD)
    await publish(profile, 'new', { ...options, machine: running, force: true })
    expect(await shown(path)).toBe('new')
  })

  test('is refused after another program wrote the file, even with force', async () => {
    const { directory, path, options } = scene()
    const profile = await readProfile(path, access)
    const theirs = encodeSave(nine({ name: 'Renamed' }))
    writeFileSync(path, theirs)
    expect(await codeOfAsync(publish(profile, 'new', options))).toBe('TOX_FILE_CHANGED')
    expect(await codeOfAsync(publish(profile, 'new', { ...options, force: true }))).toBe('TOX_FILE_CHANGED')
    expect(new Uint8Array(readFileSync(path))).toEqual(theirs)
    expect(readdirSync(directory)).toEqual(['nine.tox'])
  })

  test('notices a client that starts between the first check and the rename', async () => {
    const { path, options } = scene()
    const profile = await readProfile(path, access)
    const theirs = encodeSave(nine({ name: 'Renamed' }))
    const fs = faultyFs()
    const meddling = {
      ...fs,
      open: async (...args: Parameters<typeof fs.open>): ReturnType<typeof fs.open> => {
        writeFileSync(path, theirs)
        return await fs.open(...args)
      },
    }
    expect(await codeOfAsync(publish(profile, 'new', { ...options, fs: meddling }))).toBe('TOX_FILE_CHANGED')
    expect(new Uint8Array(readFileSync(path))).toEqual(theirs)
  })

  test('notices a disk that corrupts the new file before it replaces the old profile', async () => {
    const { directory, path, options } = scene()
    const profile = await readProfile(path, access)
    const fs = faultyFs()
    let writes = 0
    const forgetful = {
      ...fs,
      open: async (...args: Parameters<typeof fs.open>): ReturnType<typeof fs.open> => {
        const handle = await fs.open(...args)
        // The first write is the backup.
        const write: typeof handle.write = (bytes, offset, length) =>
          handle.write(++writes === 2 ? bytes.map((byte, i) => (i === 100 ? byte ^ 1 : byte)) : bytes, offset, length)
        return { ...handle, write }
      },
    }
    expect(await codeOfAsync(publish(profile, 'new', { ...options, fs: forgetful }))).toBe('TOX_WRITE_FAILED')
    expect(new Uint8Array(readFileSync(path))).toEqual(OLD)
    expect(readdirSync(directory)).toHaveLength(2)
  })

  test('refuses a mismatched key pair before touching anything', async () => {
    const { directory, path, options } = scene()
    const profile = await readProfile(path, access)
    const keys = sectionData(profile.save, SECTION_KEYS)!.slice()
    keys[40]! ^= 8
    expect(await codeOfAsync(writeProfile(profile, withSection(profile.save, SECTION_KEYS, keys), options))).toBe(
      'TOX_BAD_KEYS',
    )
    expect(readdirSync(directory)).toEqual(['nine.tox'])
  })
})

describe('backups', () => {
  test(`keep the oldest and the newest, ${BACKUPS_KEPT} in all, and leave other files alone`, async () => {
    const { directory, path, options } = scene()
    writeFileSync(`${path}.backup-by-hand`, '')
    for (let i = 0; i < 8; i++)
      await publish(await readProfile(path, access), `text ${i}`, { ...options, nowSec: NOW + i })
    const backups = readdirSync(directory)
      .filter((name) => /backup-2/.test(name))
      .toSorted()
    expect(backups).toEqual([0, 4, 5, 6, 7].map((second) => `nine.tox.backup-20270115T08000${second}Z`))
    expect(await shown(join(directory, backups.at(-1)!))).toBe('text 6')
    expect(readdirSync(directory)).toContain('nine.tox.backup-by-hand')
  })

  test('made within one second have different names', async () => {
    const { directory, path, options } = scene()
    for (const text of ['a', 'b', 'c']) await publish(await readProfile(path, access), text, options)
    expect(readdirSync(directory)).toHaveLength(4)
  })

  test('made after the clock was set back push out the first one no more than others', async () => {
    const { directory, path, options } = scene()
    const first = await publish(await readProfile(path, access), 'text 0', { ...options, nowSec: NOW })
    const before = readFileSync(first)
    for (let i = 1; i < 8; i++) {
      const nowSec = i < 3 ? NOW + i : i
      const backup = await publish(await readProfile(path, access), `text ${i}`, { ...options, nowSec })
      expect(await shown(backup)).toBe(`text ${i - 1}`)
    }
    expect(readFileSync(first)).toEqual(before)
    const backups = readdirSync(directory).filter((name) => /backup-2/.test(name))
    expect(backups).toHaveLength(BACKUPS_KEPT)
    expect(await shown(join(directory, backups.toSorted().at(-1)!))).toBe('text 6')
  })

  test('do not pile up when writing keeps failing', async () => {
    const { directory, path, options } = scene()
    const profile = await readProfile(path, access)
    const usual = faultyFs()
    const fs = {
      ...usual,
      rename: async (from: string, to: string): Promise<void> => {
        if (to === path) throw Object.assign(new Error('full'), { code: 'ENOSPC' })
        await usual.rename(from, to)
      },
    }
    for (let i = 0; i < 3; i++) {
      expect(await codeOfAsync(publish(profile, 'new', { ...options, nowSec: NOW + i, fs }))).toBe('TOX_DISK_FULL')
    }
    expect(readdirSync(directory).toSorted()).toEqual(['nine.tox', 'nine.tox.backup-20270115T080000Z'])
  })
})

describe('faults at every write point of a publish', () => {
  const KINDS: readonly FaultKind[] = ['not-persisted', 'persisted', 'dead']
  test.each(KINDS)('%s: the profile stays whole, and stays old unless the error code says otherwise', async (kind) => {
    const counting = scene()
    const fs = faultyFs()
    await publish(await readProfile(counting.path, access), 'new', { ...counting.options, fs })
    let ran = 0
    for (let failAt = 0; failAt < fs.calls.length; failAt++) {
      const { directory, path, options } = scene()
      const work = publish(await readProfile(path, access), 'new', { ...options, fs: faultyFs(failAt, kind) })
      const code = await codeOfAsync(work)
      const text = await shown(path)
      const what = `${kind} ${failAt} ${fs.calls[failAt]} ${code}`
      expect(['at home', 'new'], what).toContain(text)
      if (code === 'none') expect(text, what).toBe('new')
      else if (code !== 'TOX_WRITE_UNCERTAIN') expect(text, what).toBe('at home')
      if (kind === 'dead') await removeLeftovers(directory)
      expect(
        readdirSync(directory).filter((name) => !/^nine\.tox(\.backup-20270115T080000Z)?$/.test(name)),
        what,
      ).toEqual([])
      ran++
    }
    expect(ran).toBe(18)
  })
})

describe("qTox's files beside a profile", () => {
  const PASS = { engine, passphrase: 'secret' }
  const sealed = encryptSave(OLD, 'secret', engine)

  test.each(['nine.db', 'nine.ini'])('%s stops a change of the passphrase, unless forced', async (name) => {
    const encrypted = await sealed
    for (const [bytes, newPassphrase] of [
      [OLD, 'new'],
      [encrypted, null],
      [encrypted, 'other'],
    ] as const) {
      const { directory, path, options } = scene(bytes)
      writeFileSync(join(directory, name), 'of qTox')
      const profile = await readProfile(path, PASS)
      const change = { ...options, ...PASS, newPassphrase }
      expect(await codeOfAsync(writeProfile(profile, profile.save, change))).toBe('TOX_QTOX_FILES')
      const replace = { ...options, passphrase: newPassphrase, force: true }
      expect(await codeOfAsync(createProfile(path, profile.save, replace))).toBe('TOX_QTOX_FILES')
      expect(new Uint8Array(readFileSync(path))).toEqual(bytes)
      expect(readdirSync(directory)).toHaveLength(2)
      await writeProfile(profile, profile.save, { ...change, force: true })
    }
  })

  test('stop no other change, and files of other names stop none', async () => {
    const encrypted = await sealed
    for (const [bytes, passphrase] of [
      [OLD, null],
      [encrypted, 'secret'],
      [new Uint8Array(), 'new'],
    ] as const) {
      const { directory, path, options } = scene(bytes)
      writeFileSync(join(directory, 'nine.db'), 'of qTox')
      await createProfile(path, nine(), { ...options, passphrase, force: true })
    }
    const { directory, path, options } = scene()
    writeFileSync(join(directory, 'ninety.db'), 'of another profile')
    await writeProfile(await readProfile(path, access), nine(), { ...options, newPassphrase: 'new' })
  })
})

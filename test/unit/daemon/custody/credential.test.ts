import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { formatHex } from '../../../../src/core/encoding/bytes.ts'
import { readSealMode } from '../../../../src/crypto/seal.ts'
import { readCredential } from '../../../../src/daemon/custody/credential.ts'
import { OWN_LAPTOP, TestKeeper } from '../../../support/keeper.ts'
import { engine } from '../../../support/person.ts'
import { tempDir } from '../../../support/temp-dir.ts'

const KEY = Uint8Array.from({ length: 32 }, (_, i) => 7 * i + 3)
const HEX = formatHex(KEY)

function directoryWith(content: Uint8Array | string, mode = 0o400): string {
  const directory = tempDir()
  writeFileSync(join(directory, 'personad.key'), content)
  chmodSync(join(directory, 'personad.key'), mode)
  return directory
}

async function read(directory: string | undefined, uid?: number): Promise<string | null> {
  const key = await readCredential({ CREDENTIALS_DIRECTORY: directory }, engine, uid ?? process.getuid?.())
  return key === null ? null : formatHex(key)
}

describe('the credential personad.key', () => {
  it.each([
    ['32 bytes', KEY],
    ['64 upper-case digits', HEX],
    ['64 lower-case digits', HEX.toLowerCase()],
    ['64 digits and a line end', `${HEX}\n`],
  ])('may be %s', async (_, content) => {
    expect(await read(directoryWith(content))).toBe(HEX)
    // The mode that systemd's access list shows.
    expect(await read(directoryWith(content, 0o440))).toBe(HEX)
  })

  it.each([
    ['nothing', ''],
    ['31 bytes', KEY.subarray(1)],
    ['33 bytes', new Uint8Array(33)],
    ['63 digits', HEX.slice(1)],
    ['65 digits', `${HEX}0`],
    ['66 characters', `${HEX}\n\n`],
    ['a character that is not a hex digit', `${HEX.slice(0, 63)}g`],
    ['more bytes than we read', 'A'.repeat(1000)],
  ])('is refused if it is %s', async (_, content) => {
    await expect(read(directoryWith(content))).rejects.toMatchObject({ code: 'CREDENTIAL_UNUSABLE' })
  })

  it.each([0o404, 0o420, 0o410, 0o402, 0o604, 0o644])(
    'is refused if others may read or change it: %o',
    async (mode) => {
      await expect(read(directoryWith(KEY, mode))).rejects.toMatchObject({ code: 'CREDENTIAL_UNUSABLE' })
    },
  )

  it('is refused if it is a link, a directory or of another user', async () => {
    const [linked, directory] = [tempDir(), tempDir()]
    symlinkSync(join(directoryWith(KEY), 'personad.key'), join(linked, 'personad.key'))
    mkdirSync(join(directory, 'personad.key'))
    const unusable = { code: 'CREDENTIAL_UNUSABLE' }
    await expect(read(linked)).rejects.toMatchObject(unusable)
    await expect(read(directory)).rejects.toMatchObject(unusable)
    // Root may always own it.
    if (process.getuid?.() === 0) expect(await read(directoryWith(KEY), 12_345)).toBe(HEX)
    else await expect(read(directoryWith(KEY), 12_345)).rejects.toMatchObject(unusable)
  })

  it('may be missing', async () => {
    expect(await read(undefined)).toBeNull()
    expect(await read(tempDir())).toBeNull()
    expect(await read('relative')).toBeNull()
  })
})

describe('a daemon with the credential', () => {
  const LAPTOP = { device: { name: 'laptop', key: OWN_LAPTOP } }
  const passphrase = 'correct horse battery staple'
  const modes = (test: TestKeeper): string[] =>
    ['secrets', 'seed'].map((name) => readSealMode(readFileSync(join(test.stateDir, name))))

  async function again(test: TestKeeper, credential?: Uint8Array): Promise<TestKeeper> {
    const { stateDir, store, nowSec } = test
    return await TestKeeper.open({ stateDir, store, nowSec, ...(credential === undefined ? {} : { credential }) })
  }

  it('seals with it what no passphrase seals, and opens it without help', async () => {
    const test = await TestKeeper.open({ credential: KEY })
    await test.call('persona.init', LAPTOP)
    expect(modes(test)).toStrictEqual(['key', 'key'])
    const next = await again(test, KEY)
    expect((await next.call('status')).locked).toBe(false)
    expect((await next.call('recovery.show')).words).toHaveLength(24)
    await expect(next.call('persona.lock')).rejects.toMatchObject({ code: 'NO_PASSPHRASE', message: /personad\.key/ })
    await expect(again(test)).rejects.toMatchObject({ code: 'CREDENTIAL_MISSING' })
    await expect(again(test, KEY.toReversed())).rejects.toMatchObject({ code: 'SEAL_WRONG_KEY' })
  })

  it('seals unsealed secrets with it at the next start', async () => {
    const test = await TestKeeper.withPersona()
    expect(modes(test)).toStrictEqual(['unsealed', 'unsealed'])
    await again(test, KEY)
    expect(modes(test)).toStrictEqual(['key', 'key'])
    await again(test, KEY)
  })

  it('leaves a passphrase in place, and returns to the credential once it is removed', async () => {
    const test = await TestKeeper.open()
    await test.call('persona.init', { ...LAPTOP, passphrase })
    const next = await again(test, KEY)
    expect(modes(test)).toStrictEqual(['passphrase', 'passphrase'])
    expect(next.custody.isLocked).toBe(true)
    expect(await next.call('passphrase.remove', { present: passphrase })).toStrictEqual({ sealing: 'key' })
    expect(modes(test)).toStrictEqual(['key', 'key'])
    expect(await next.call('passphrase.set', { passphrase })).toStrictEqual({ sealing: 'passphrase' })
    const last = await again(test)
    await last.call('persona.unlock', { passphrase })
    expect(await last.call('passphrase.remove', { present: passphrase })).toStrictEqual({ sealing: 'unsealed' })
  })
})

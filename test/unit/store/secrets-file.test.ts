import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { encodeUtf8 } from '../../../src/core/encoding/bytes.ts'
import {
  MAX_SECRETS_BYTES,
  readSecretsFile,
  removeSecretsFile,
  writeSecretsFile,
} from '../../../src/store/secrets-file.ts'
import { tempDir } from '../../support/temp-dir.ts'

const uid = process.getuid?.() ?? 0
const sealed = encodeUtf8('sealed')

describe('a secrets file', () => {
  it('is written with mode 0600 under an open umask, replaced, read back, and removed', async () => {
    const base = tempDir()
    const path = join(base, 'secrets')
    expect(await readSecretsFile(path)).toBeNull()
    const umask = process.umask(0)
    try {
      await writeSecretsFile(path, encodeUtf8('older and longer'))
      await writeSecretsFile(path, sealed)
    } finally {
      process.umask(umask)
    }
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(await readSecretsFile(path)).toStrictEqual(sealed)
    expect(readdirSync(base)).toStrictEqual(['secrets'])
    await removeSecretsFile(path)
    await removeSecretsFile(path)
    expect(readdirSync(base)).toStrictEqual([])
  })

  it('is read into its own memory, which the caller can wipe', async () => {
    const path = join(tempDir(), 'secrets')
    await writeSecretsFile(path, sealed)
    const bytes = await readSecretsFile(path)
    expect(bytes?.buffer.byteLength).toBe(sealed.length)
  })

  it.each(['604', '640', '610', '601', '602', '620', '644', '666'])('with the mode %s is refused', async (digits) => {
    const path = join(tempDir(), 'secrets')
    await writeSecretsFile(path, sealed)
    chmodSync(path, parseInt(digits, 8))
    const what = { code: 'SECRETS_OPEN_TO_OTHERS', message: expect.stringContaining(`chmod 600 ${path}`) }
    await expect(readSecretsFile(path)).rejects.toMatchObject(what)
  })

  it('is refused if it is a link, a directory, a pipe or owned by another user', async () => {
    const base = tempDir()
    const path = join(base, 'secrets')
    await writeSecretsFile(path, sealed)
    symlinkSync(path, join(base, 'link'))
    mkdirSync(join(base, 'directory'), { mode: 0o700 })
    execFileSync('mkfifo', ['-m', '600', join(base, 'pipe')])
    await expect(readSecretsFile(join(base, 'link'))).rejects.toMatchObject({ code: 'SECRETS_SYMLINK' })
    await expect(readSecretsFile(join(base, 'directory'))).rejects.toMatchObject({ code: 'SECRETS_NOT_FILE' })
    await expect(readSecretsFile(join(base, 'pipe'))).rejects.toMatchObject({ code: 'SECRETS_NOT_FILE' })
    await expect(readSecretsFile(path, uid + 1)).rejects.toMatchObject({ code: 'SECRETS_FOREIGN_OWNER' })
    await expect(readSecretsFile(join(path, 'below'))).rejects.toMatchObject({ code: 'STORE_IO' })
  })

  it('is refused above the size limit on read and write, and accepted at the limit', async () => {
    const path = join(tempDir(), 'secrets')
    await writeSecretsFile(path, new Uint8Array(MAX_SECRETS_BYTES))
    expect((await readSecretsFile(path))?.length).toBe(MAX_SECRETS_BYTES)
    await expect(writeSecretsFile(path, new Uint8Array(MAX_SECRETS_BYTES + 1))).rejects.toMatchObject({
      code: 'SECRETS_TOO_LARGE',
    })
    expect((await readSecretsFile(path))?.length).toBe(MAX_SECRETS_BYTES)
    writeFileSync(path, new Uint8Array(MAX_SECRETS_BYTES + 1))
    await expect(readSecretsFile(path)).rejects.toMatchObject({ code: 'SECRETS_TOO_LARGE' })
  })

  it('that cannot be written gives the reason', async () => {
    await expect(writeSecretsFile(join(tempDir(), 'none', 'secrets'), sealed)).rejects.toMatchObject({
      code: 'STORE_IO',
    })
  })
})

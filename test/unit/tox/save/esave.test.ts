import { describe, expect, test } from 'vitest'
import { concatBytes } from '../../../../src/core/encoding/bytes.ts'
import { ESAVE_EXTRA_BYTES, decryptSave, encryptSave } from '../../../../src/tox/save/esave.ts'
import { decodeSave, encodeSave, isEncryptedSave } from '../../../../src/tox/save/savefile.ts'
import { encryptedFixtures, fixturesAbsence, readFixture } from '../../../support/tox-fixtures.ts'
import { codeOf, codeOfAsync, engine, nine } from '../../../support/tox-people.ts'

const plain = encodeSave(nine())

describe('an encrypted profile', () => {
  test.each(['correct horse', '', 'пароль ☕'])('opens with its passphrase %j and no other', async (passphrase) => {
    const sealed = await encryptSave(plain, passphrase, engine)
    expect(isEncryptedSave(sealed)).toBe(true)
    expect(sealed).toHaveLength(plain.length + ESAVE_EXTRA_BYTES)
    expect(await decryptSave(sealed, passphrase, engine)).toEqual(plain)
    expect(await codeOfAsync(decryptSave(sealed, `${passphrase} `, engine))).toBe('TOX_WRONG_PASSPHRASE')
    expect(codeOf(() => decodeSave(sealed))).toBe('TOX_ENCRYPTED')
  })

  test('is different each time', async () => {
    const [a, b] = [await encryptSave(plain, 'x', engine), await encryptSave(plain, 'x', engine)]
    expect(a.subarray(8, 40)).not.toEqual(b.subarray(8, 40))
    expect(a.subarray(40, 64)).not.toEqual(b.subarray(40, 64))
  })

  test('does not open when altered anywhere', async () => {
    const sealed = await encryptSave(plain, 'x', engine)
    let ran = 0
    for (const at of [8, 39, 40, 63, 64, 79, 80, sealed.length - 1]) {
      const altered = sealed.slice()
      altered[at]! ^= 1
      expect(await codeOfAsync(decryptSave(altered, 'x', engine)), `byte ${at}`).toBe('TOX_WRONG_PASSPHRASE')
      ran++
    }
    expect(ran).toBe(8)
  })

  test('is refused by its own code when cut or not encrypted', async () => {
    const sealed = await encryptSave(Uint8Array.of(1), 'x', engine)
    expect(sealed).toHaveLength(ESAVE_EXTRA_BYTES + 1)
    expect(await codeOfAsync(decryptSave(sealed, 'x', engine))).toBe('none')
    expect(await codeOfAsync(decryptSave(sealed.subarray(0, ESAVE_EXTRA_BYTES), 'x', engine))).toBe('TOX_TRUNCATED')
    expect(await codeOfAsync(decryptSave(sealed.subarray(0, 8), 'x', engine))).toBe('TOX_TRUNCATED')
    expect(await codeOfAsync(decryptSave(sealed.subarray(0, 7), 'x', engine))).toBe('TOX_NOT_A_PROFILE')
    expect(await codeOfAsync(decryptSave(plain, 'x', engine))).toBe('TOX_NOT_A_PROFILE')
    expect(await codeOfAsync(encryptSave(new Uint8Array(0), 'x', engine))).toBe('TOX_NOT_A_PROFILE')
  })

  test('has the library layout: magic, salt, nonce, box', async () => {
    const sealed = await encryptSave(plain, 'x', engine, (length) => new Uint8Array(length).fill(length))
    const head = concatBytes(
      new TextEncoder().encode('toxEsave'),
      new Uint8Array(32).fill(32),
      new Uint8Array(24).fill(24),
    )
    expect(sealed.subarray(0, 64)).toEqual(head)
  })

  test.skipIf(fixturesAbsence !== null)(`made by libtoxcore opens ${fixturesAbsence ?? ''}`, async () => {
    let ran = 0
    for (const fixture of encryptedFixtures) {
      const opened = await decryptSave(readFixture(fixture), fixture.passphrase!, engine)
      expect(Buffer.compare(opened, readFixture(fixture, fixture.sameAs)), fixture.file).toBe(0)
      expect(await codeOfAsync(decryptSave(readFixture(fixture), `${fixture.passphrase!}x`, engine))).toBe(
        'TOX_WRONG_PASSPHRASE',
      )
      ran++
    }
    expect(ran).toBe(2)
  })
})

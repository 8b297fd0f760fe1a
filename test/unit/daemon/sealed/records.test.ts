import { describe, expect, it } from 'vitest'
import { KEY_ID_BYTES } from '../../../../src/daemon/sealed/key-file.ts'
import { MAX_SEALED_BYTES, SealedRecords } from '../../../../src/daemon/sealed/records.ts'
import { sealedKind } from '../../../../src/daemon/sealed/sealed-kind.ts'
import { decodeUtf8 } from '../../../../src/core/encoding/bytes.ts'
import { quickEngine as engine } from '../../../support/quick-engine.ts'
import { NOTES, TestSealed, TEXTS } from '../../../support/sealed.ts'

describe('a sealed record', () => {
  it('is in no file and no snapshot in the clear', async () => {
    const test = await TestSealed.open({ engine })
    await test.put('a', 'the lamp is on the stairs')
    const value = test.test.store.get('sealed/text/a')!
    expect(decodeUtf8(value)).toBeNull()
    expect(Buffer.from(value).includes('lamp')).toBe(false)
    // One byte of version, the id of the key, the nonce, the tag, and the name with its length.
    expect(value.length).toBe(1 + KEY_ID_BYTES + 24 + 16 + 2 + 'text/a'.length + 'the lamp is on the stairs'.length)
  })

  it('is read in a change as the change left it, and on disk once it is there', async () => {
    const test = await TestSealed.open({ engine })
    await test.inChange((texts) => {
      texts.put('a', 'first')
      expect(texts.get('a')).toBe('first')
      expect(test.get('a')).toBeUndefined()
      texts.put('a', 'second')
      texts.put('b', 'gone')
      texts.delete('b')
      expect(texts.get('b')).toBeUndefined()
    })
    expect(await test.all()).toStrictEqual([['a', 'second']])
    await test.put('ab', 'third')
    await test.put('c', 'fourth')
    expect(await test.all('a')).toStrictEqual([
      ['a', 'second'],
      ['ab', 'third'],
    ])
  })

  it('stays as it was when its change fails', async () => {
    const test = await TestSealed.open({ engine })
    await test.put('a', 'kept')
    const failing = test.inChange((texts) => {
      texts.put('a', 'lost')
      throw new Error('no')
    })
    await expect(failing).rejects.toThrow('no')
    await test.inChange((texts) => expect(texts.get('a')).toBe('kept'))
  })

  it.each([
    [MAX_SEALED_BYTES - 1, true],
    [MAX_SEALED_BYTES, true],
    [MAX_SEALED_BYTES + 1, false],
  ])('of %i bytes is taken: %s', async (bytes, isTaken) => {
    const test = await TestSealed.open({ engine })
    const put = test.put('a', 'x'.repeat(bytes))
    if (!isTaken) return await expect(put).rejects.toMatchObject({ code: 'STORE_TOO_LARGE' })
    await put
    expect(test.get('a')).toHaveLength(bytes)
  })

  it('does not open under the name of another', async () => {
    const test = await TestSealed.open({ engine })
    await test.put('a', 'one')
    const value = test.test.store.get('sealed/text/a')!
    await test.test.store.commit([
      { key: 'sealed/text/b', value },
      { key: 'sealed/note/a', value },
    ])
    expect(test.get('b')).toBeUndefined()
    expect(test.sealed.records.onDisk(NOTES).get('a')).toBeUndefined()
    expect(await test.all()).toStrictEqual([['a', 'one']])
  })

  it('needs a kind that a wing declares, and each kind a name of its own', async () => {
    const test = await TestSealed.open({ engine })
    const { keeper } = test.test
    expect(() => test.sealed.records.onDisk({ ...TEXTS, name: 'other' })).toThrow('no open wing declares')
    expect(() => new SealedRecords(keeper, test.sealed.key, [TEXTS, TEXTS])).toThrow('one name')
    expect(() => sealedKind('Text', TEXTS.codec)).toThrow('not a name')
  })
})

import { describe, expect, it } from 'vitest'
import { blobBytesWithoutDocument, decodeBlob, PREV_BYTES } from '../../../src/core/blob.ts'
import { formatHex } from '../../../src/core/encoding/bytes.ts'
import { DOCUMENT_DICTIONARY } from '../../../src/core/encoding/dictionary.ts'
import type { Document, Settings } from '../../../src/core/document.ts'
import { BlobError, TableError } from '../../../src/core/errors.ts'
import { MAX_BLOB_BYTES, MAX_DOCUMENT_BYTES, MAX_EPOCH } from '../../../src/core/limits.ts'
import { checkNickname } from '../../../src/core/nickname.ts'
import { activateDevice, addDevice, rekeyDevice, removeDevice, renameDevice } from '../../../src/core/edit.ts'
import {
  checkOwnDeviceKey,
  checkRoomToRotate,
  encodeTable,
  fallbackName,
  freeName,
  nameDevices,
  statusBytesFree,
  type Device,
  type EncodedTable,
} from '../../../src/core/table.ts'
import { composeStatus } from '../../../src/core/token.ts'
import { compress } from '../../../src/daemon/own/compress.ts'
import { makeDevice, makePersona, makeVerified, NOW_SEC, verified } from '../../support/made-persona.ts'

const ada = makePersona(1)
const [laptop, phone, tablet] = [makeDevice(0), makeDevice(1), makeDevice(2)]

interface Wishes {
  readonly epoch?: number
  readonly named?: boolean
  readonly document?: Document
  readonly settings?: Settings
  readonly mayGiveUp?: boolean
}

function encode(devices: readonly Device[], wishes: Wishes = {}): EncodedTable {
  const { epoch = 0, named = true, document = [], settings = {}, mayGiveUp = false } = wishes
  const prev = new Uint8Array(PREV_BYTES)
  const draft = { chain: ada.positions[epoch]!, seq: 1, timeSec: NOW_SEC, prev, devices, named, document, settings }
  return encodeTable(draft, mayGiveUp, compress, (message) => ada.sign(epoch, message))
}

function refusal(run: () => unknown): TableError | BlobError | null {
  try {
    run()
    return null
  } catch (error) {
    if (error instanceof TableError || error instanceof BlobError) return error
    throw error
  }
}

function plainDevices(count: number): Device[] {
  return Array.from({ length: count }, (_, i) => makeDevice(i, `d${i}`))
}

/** Nicknames that no dictionary shortens: unordered CJK characters. */
function loudDevices(count: number): Device[] {
  return plainDevices(count).map((device, i) => {
    const codes = Array.from({ length: 20 }, (_, k) => 0x4e00 + ((i * 7919 + k * 104_729) % 20_000))
    return { ...device, name: String.fromCodePoint(...codes) }
  })
}

describe('room to rotate', () => {
  it('accepts a number of devices exactly if their table without names fits at the next epoch', () => {
    const most = [15, 14, 14, 13, 13, 12, 12, 11, 11, 10, 10, 9, 9, 8, 8, 7, 7]
    for (let epoch = 0; epoch <= MAX_EPOCH; epoch++) {
      const next = Math.min(MAX_EPOCH, epoch + 1)
      const fits = (devices: number): boolean =>
        refusal(() => encode(plainDevices(devices), { epoch: next, named: false })) === null
      const limit = most[epoch]!
      for (const devices of [0, 1, limit - 1, limit, limit + 1, 20]) {
        const isAccepted = refusal(() => checkRoomToRotate(epoch, devices)) === null
        expect(isAccepted, `${devices} at epoch ${epoch}`).toBe(devices <= limit)
        expect(fits(devices)).toBe(isAccepted)
      }
    }
    expect(most.length).toBe(17)
  })

  it('refuses 21 devices, whatever their size', () => {
    expect(refusal(() => checkRoomToRotate(0, 21))).toMatchObject({ code: 'TABLE_TOO_LARGE' })
  })

  it('reserves two bytes for the empty document', () => {
    expect(compress(new Uint8Array(0), DOCUMENT_DICTIONARY)).toEqual(Uint8Array.of(3, 0))
  })
})

describe('signing a table', () => {
  it('reports how many bytes the status message is too long', () => {
    const refused = [9, 10, 11, 12, 13, 14, 15].filter((count) => {
      const error = refusal(() => encode(loudDevices(count)))
      if (error === null) return false
      expect(error).toMatchObject({ name: 'TableError', code: 'TABLE_TOO_LARGE' })
      expect((error as TableError).bytesOver).toBeGreaterThan(0)
      const shorter = encode(loudDevices(count), { mayGiveUp: true })
      expect(composeStatus('', shorter.blob).bytesOver).toBe(0)
      return true
    })
    expect(refused.length).toBeGreaterThan(3)
  })

  it('gives up nothing if everything fits', () => {
    const table = encode([laptop, phone], { mayGiveUp: true, document: [['note', 'x']] })
    expect(table).toMatchObject({ named: true, gaveUpNames: false, gaveUpKeys: false })
    expect(verified(table.blob).content).toMatchObject({ names: ['laptop', 'phone'] })
  })

  it('gives up names, and keeps the marks of companions while they fit', () => {
    const devices = [...loudDevices(12), { ...makeDevice(30, 'node'), companion: true as const }]
    expect(refusal(() => encode(devices))).toMatchObject({ code: 'TABLE_TOO_LARGE' })
    const table = encode(devices, { mayGiveUp: true, document: [['names', []]] })
    expect(table).toMatchObject({ named: false, gaveUpNames: true, gaveUpKeys: false })
    expect(verified(table.blob).content).toMatchObject({
      ok: true,
      names: null,
      document: [['companions', { length: 1 }]],
    })
  })

  it('gives up foreign keys before names, also in an edit that gives up nothing else', () => {
    const document: Document = [['note', loudDevices(12).map(({ name }) => name)]]
    const table = encode(plainDevices(10), { document })
    expect(table).toMatchObject({ named: true, gaveUpNames: false, gaveUpKeys: true })
    expect(verified(table.blob).content).toMatchObject({ ok: true, names: plainDevices(10).map(({ name }) => name) })
  })

  it('counts what a document inflates to, not only what it compresses to', () => {
    const longest: Document = [['note', 'a'.repeat(MAX_DOCUMENT_BYTES - 'names: [laptop]\nnote: '.length)]]
    expect(encode([laptop], { document: longest })).toMatchObject({ gaveUpKeys: false })
    const table = encode([laptop, phone], { document: longest })
    expect(table).toMatchObject({ named: true, gaveUpKeys: true })
    expect(verified(table.blob).content).toMatchObject({ ok: true, names: ['laptop', 'phone'] })
  })

  it('drops a key that differs from one of ours only by case: no reader would accept both', () => {
    const document: Document = [
      ['Names', 'x'],
      ['COMPANIONS', ['abcd']],
      ['note', 'kept'],
    ]
    const { blob } = encode([laptop], { document })
    const written = ['names', ['laptop']]
    expect(verified(blob).content).toMatchObject({ ok: true, document: [written, ['note', 'kept']] })
  })

  it('does not report names as given up if it was not asked to write them', () => {
    const document: Document = [['note', loudDevices(12).map(({ name }) => name)]]
    const table = encode(plainDevices(15), { mayGiveUp: true, document, named: false })
    expect(table).toMatchObject({ named: false, gaveUpNames: false, gaveUpKeys: true })
  })

  it('refuses a table that does not fit even without names, instead of signing an unreadable one', () => {
    for (const [epoch, most] of [
      [0, 18],
      [1, 15],
      [3, 14],
      [8, 11],
      [16, 7],
    ] as const) {
      const { blob } = encode(plainDevices(most), { epoch, mayGiveUp: true })
      expect(verified(blob).deviceKeys.length).toBe(most)
      const error = refusal(() => encode(plainDevices(most + 1), { epoch, mayGiveUp: true }))
      expect(error).toMatchObject({ code: 'TABLE_TOO_LARGE' })
      const over = blobBytesWithoutDocument(epoch, most + 1) + 2 - MAX_BLOB_BYTES
      expect((error as TableError).bytesOver).toBeGreaterThanOrEqual(over)
    }
  })

  it('keeps unknown keys in their order, after the names', () => {
    const { blob } = encode([laptop], {
      document: [
        ['b', 'x'],
        ['names', ['old']],
        ['A', ['y', '12']],
      ],
    })
    expect(verified(blob).content).toMatchObject({
      document: [
        ['names', ['laptop']],
        ['b', 'x'],
        ['A', ['y', '12']],
      ],
    })
  })

  it('writes no names if there are no devices', () => {
    const table = encode([])
    expect(table.named).toBe(true)
    expect(verified(table.blob).content).toMatchObject({ ok: true, names: null, document: [] })
  })

  it('refuses an invalid device key before it signs', () => {
    for (const key of ['', '00', 'x'.repeat(64), '00'.repeat(32), 'FF'.repeat(32)]) {
      expect(refusal(() => encode([{ name: 'a', key }]))?.code).toMatch(/^DEVICE_KEY_/)
    }
  })

  it('leaves as many bytes free as it reports', () => {
    const { blob } = encode([laptop, phone])
    const free = statusBytesFree(blob.length)
    expect(composeStatus('w'.repeat(free - 1), blob).bytesOver).toBe(0)
    expect(composeStatus('w'.repeat(free), blob).bytesOver).toBe(1)
  })
})

describe('an edit', () => {
  it('adds a device at the end, and refuses a listed key and a nickname that is taken, ignoring case', () => {
    expect(addDevice([laptop], phone)).toEqual([laptop, phone])
    expect(refusal(() => addDevice([laptop, phone], { ...laptop, name: 'other' }))?.code).toBe('DEVICE_LISTED')
    expect(refusal(() => addDevice([laptop], { ...phone, name: 'LAPTOP' }))?.code).toBe('NICKNAME_TWICE')
    expect(refusal(() => addDevice([laptop], { ...phone, name: ' ' }))?.code).toBe('NICKNAME_SPACES')
  })

  it('removes, renames, activates and rekeys without changing the given table', () => {
    const before = [laptop, phone, tablet]
    expect(removeDevice(before, phone.key)).toEqual([laptop, tablet])
    expect(renameDevice(before, phone.key, 'PHONE')).toEqual([laptop, { ...phone, name: 'PHONE' }, tablet])
    expect(activateDevice(before, tablet.key)).toEqual([tablet, laptop, phone])
    expect(activateDevice(before, laptop.key)).toEqual(before)
    expect(rekeyDevice(before, phone.key, makeDevice(9).key)[1]).toEqual({ name: 'phone', key: makeDevice(9).key })
    expect(before).toEqual([laptop, phone, tablet])
  })

  it('needs a listed device, and a new key that is not listed', () => {
    const gone = makeDevice(9).key
    const edits = [
      () => removeDevice([laptop], gone),
      () => renameDevice([laptop], gone, 'x'),
      () => activateDevice([laptop], gone),
      () => rekeyDevice([laptop], gone, phone.key),
    ]
    for (const edit of edits) expect(refusal(edit)?.code).toBe('DEVICE_UNKNOWN')
    expect(refusal(() => rekeyDevice([laptop, phone], laptop.key, phone.key))?.code).toBe('DEVICE_LISTED')
    expect(refusal(() => rekeyDevice([laptop, phone], laptop.key, laptop.key))?.code).toBe('DEVICE_LISTED')
    expect(refusal(() => renameDevice([laptop, phone], laptop.key, 'Phone'))?.code).toBe('NICKNAME_TWICE')
  })

  it('refuses the signing keys of the persona as device keys', () => {
    let refused = 0
    for (const number of [1, 2, 3, 4, 5, 6, 7, 8]) {
      const position = makePersona(number).positions[3]!
      for (const key of [position.personaId, position.signingKey]) {
        const code = refusal(() => checkOwnDeviceKey(formatHex(key), position))?.code
        // A key with its top bit set is not an X25519 key at all.
        expect(code).toBe(key[31]! < 0x80 ? 'DEVICE_KEY_IS_SIGNING_KEY' : 'DEVICE_KEY_NOT_CANONICAL')
        if (code === 'DEVICE_KEY_IS_SIGNING_KEY') refused++
      }
    }
    expect(refused).toBeGreaterThan(0)
    expect(refusal(() => checkOwnDeviceKey(laptop.key, ada.positions[0]!))).toBe(null)
  })
})

describe('a free nickname', () => {
  it('is the name itself, else the name with the first free suffix, ignoring case', () => {
    expect(freeName('phone', [])).toBe('phone')
    expect(freeName('phone', ['Phone'])).toBe('phone-2')
    expect(freeName('phone', ['phone', 'PHONE-2', 'phone-3'])).toBe('phone-4')
  })

  it('is a valid nickname, however long the name is and wherever it is cut', () => {
    const family = '\u{1f468}\u200d\u{1f469}\u200d\u{1f467}\u200d\u{1f466}'
    const names = [
      'x'.repeat(32),
      '机'.repeat(21),
      family,
      `${'x'.repeat(29)} y`,
      'e\u0301'.normalize('NFC').repeat(32),
    ]
    for (const name of names) {
      const taken = [checkNickname(name)]
      for (let i = 0; i < 12; i++) {
        const free = freeName(name, taken)
        expect(checkNickname(free)).toBe(free)
        expect(taken).not.toContain(free)
        taken.push(free)
      }
    }
    expect(names.length).toBe(5)
  })
})

describe('the names of a blob', () => {
  it('come from its document', () => {
    const blob = makeVerified(ada, { devices: [0, 1], document: [['names', ['a', 'b']]] })
    expect(nameDevices(blob, () => 'known').map(({ name }) => name)).toEqual(['a', 'b'])
  })

  it('without a document are the last known ones, then the fallback, each once', () => {
    const blob = makeVerified(ada, { devices: [0, 1, 2] })
    const known = new Map([
      [laptop.key, 'mine'],
      [tablet.key, 'Mine'],
    ])
    expect(nameDevices(blob, (key) => known.get(key))).toEqual([
      { name: 'mine', key: laptop.key },
      { name: fallbackName(phone.key), key: phone.key },
      { name: 'Mine-2', key: tablet.key },
    ])
  })

  it('never come from an unreadable document', () => {
    const blob = makeVerified(ada, { epoch: 1, devices: [0], document: 'names: [a]\nx!: y' })
    expect(nameDevices(blob, () => undefined)).toEqual([{ name: fallbackName(laptop.key), key: laptop.key }])
    expect(decodeBlob(blob.bytes).deviceKeys.length).toBe(1)
  })
})

describe('a table without room', () => {
  /** Hex digits without repetitions, which deflate shortens by a half at most. */
  const noise = (n: number, digits: number): string => makeDevice(100 + n).key.slice(0, digits)
  const settings: Settings = { read: noise(1, 22), announce: noise(2, 60), at: [noise(3, 60), noise(4, 20)] }

  it('gives up entries that it does not understand, then names, then the settings `at` and `announce`, and `read` last', () => {
    const given = new Set<string>()
    for (let count = 1; count <= 15; count++) {
      for (const epoch of [0, 1, 2, 3]) {
        const devices = plainDevices(count)
        if (refusal(() => checkRoomToRotate(Math.max(0, epoch - 1), count)) !== null) continue
        const wishes = { epoch, document: [['note', noise(5, 64)]] as Document, settings, mayGiveUp: true }
        const { gaveUpKeys, gaveUpNames, gaveUpSettings } = encode(devices, wishes)
        given.add([gaveUpKeys && 'keys', gaveUpNames && 'names', ...gaveUpSettings].filter(Boolean).join(' '))
      }
    }
    const order = ['', 'keys', 'keys names', 'keys names at', 'keys names announce at', 'keys names read announce at']
    expect([...given].filter((some) => !order.includes(some))).toEqual([])
    expect(order.filter((some) => !given.has(some))).toEqual([])
  })

  it('loses no setting to an edit that may fail', () => {
    expect(refusal(() => encode(loudDevices(10), { settings }))?.code).toBe('TABLE_TOO_LARGE')
  })
})

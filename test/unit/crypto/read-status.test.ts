import { describe, expect, test } from 'vitest'
import { encodeBlob } from '../../../src/core/blob.ts'
import { chainPositions, type ChainPosition } from '../../../src/core/chain.ts'
import { encodeTable, type Device } from '../../../src/core/table.ts'
import { composeStatus, formatToken } from '../../../src/core/token.ts'
import { parseHex } from '../../../src/core/encoding/bytes.ts'
import { BlobError, readStatus, type BlobErrorCode, type StatusReading } from '../../../src/crypto/read-status.ts'
import { portableEngine as engine } from '../../../src/crypto/portable.ts'
import { compress } from '../../../src/daemon/own/compress.ts'
import { judgeText } from '../../../src/ipc/shapes/judge-text.ts'

const LAPTOP = 'D759E0CA9F8F9A3217C4BCA65C5B20600D189C8EE410C0CA7E64EF0228DA6D67'
const PHONE = '06A28CD0B2AF067AC8979214DE4DE8F4371D19C260164F546C021E111510BE0C'
const STRANGER = 'C744BD3DE650E8CD449E8D5FB39718A3F7214A0B770597A8950047C7CA8B8919'
const DEVICES: readonly Device[] = [
  { name: 'laptop', key: LAPTOP },
  { name: 'телефон', key: PHONE },
]
const TIME_SEC = 1_800_000_000

const keyPairs = Array.from({ length: 17 }, (_, i) => engine.signKeyPair(new Uint8Array(32).fill(i + 1)))
const chain = chainPositions(
  keyPairs.map((pair) => pair.publicKey),
  engine,
  (message) => engine.sign(message, keyPairs[0]!.secretKey),
)

function blobAt(epoch: number, named = true, devices: readonly Device[] = DEVICES): Uint8Array {
  const position = chain[epoch]!
  const draft = { chain: position, seq: 7, timeSec: TIME_SEC, prev: new Uint8Array(16), devices, named, document: [] }
  return encodeTable(draft, false, compress, signerOf(position)).blob
}

function signerOf({ epoch }: ChainPosition): (message: Uint8Array) => Uint8Array {
  return (message) => engine.sign(message, keyPairs[epoch]!.secretKey)
}

/** A well-signed blob with these bytes as its document. */
function blobWithDocument(deflated: Uint8Array): Uint8Array {
  const deviceKeys = [parseHex(LAPTOP)!]
  const fields = { chain: chain[0]!, seq: 7, timeSec: TIME_SEC, prev: new Uint8Array(16), deviceKeys, deflated }
  return encodeBlob(fields, signerOf(chain[0]!))
}

function codeOf(reading: StatusReading): BlobErrorCode | null {
  return reading.kind === 'refused' ? reading.error.code : null
}

function namesOf(reading: StatusReading): string[] {
  return reading.kind === 'table' ? reading.table.devices.map((device) => device.name) : []
}

describe('readStatus', () => {
  test('returns the words, the persona and its devices in order', () => {
    const { text } = composeStatus('Working from the garden', blobAt(0))
    expect(readStatus(text)).toEqual({
      kind: 'table',
      words: 'Working from the garden',
      table: {
        personaId: '8A88E3DD7409F195FD52DB2D3CBA5D72CA6709BF1D94121BF3748801B40F6F5C',
        chainRoot: judgeText(text, null, engine, TIME_SEC).blob!.chainRoot,
        epoch: 0,
        seq: 7,
        timeSec: TIME_SEC,
        devices: DEVICES,
        listsSender: null,
      },
    })
  })

  test.each([0, 1, 16])('agrees with the daemon about the same text at epoch %i', (epoch) => {
    const text = formatToken(blobAt(epoch))
    const reading = readStatus(text, { from: PHONE })
    const { blob, listsSender } = judgeText(text, PHONE, engine, TIME_SEC)
    expect(reading).toMatchObject({ kind: 'table', words: '', table: { epoch, listsSender } })
    const { personaId, chainRoot, devices, seq, timeSec } = blob!
    expect(reading).toMatchObject({ table: { personaId, chainRoot, devices, seq, timeSec } })
  })

  test('returns the same PersonaID and chain root across rotations', () => {
    const tables = [0, 1, 5, 16].map((epoch) => {
      const reading = readStatus(formatToken(blobAt(epoch)))
      return reading.kind === 'table' ? `${reading.table.personaId} ${reading.table.chainRoot}` : reading.kind
    })
    expect(new Set(tables).size).toBe(1)
    expect(tables[0]).toMatch(/^[0-9A-F]{64} [0-9A-F]{64}$/)
  })

  test('returns whether the table lists the device that shows it', () => {
    const text = formatToken(blobAt(0))
    const listed = (from: string): unknown => readStatus(text, { from })
    expect(listed(PHONE)).toMatchObject({ table: { listsSender: true } })
    expect(listed(PHONE.toLowerCase())).toMatchObject({ table: { listsSender: true } })
    expect(listed(STRANGER)).toMatchObject({ table: { listsSender: false } })
    expect(listed('no key')).toMatchObject({ table: { listsSender: false } })
  })

  test('uses the last known nicknames for a table without names', () => {
    const text = formatToken(blobAt(0, false))
    const known = new Map([[LAPTOP, 'old laptop']])
    expect(namesOf(readStatus(text, { nickname: (key) => known.get(key) }))).toEqual(['old laptop', 'device-06a28cd0'])
    expect(namesOf(readStatus(text))).toEqual(['device-d759e0ca', 'device-06a28cd0'])
  })

  test('reads a table without devices', () => {
    expect(readStatus(formatToken(blobAt(0, true, [])))).toMatchObject({ kind: 'table', table: { devices: [] } })
  })

  test.each(['', 'brb', 'persona: I am one', 'На зв’язку ☕', '\ud800'])('finds only words in %j', (words) => {
    expect(readStatus(words)).toEqual({ kind: 'none', words })
  })

  test('refuses with one code for each cause, and keeps the words', () => {
    const token = formatToken(blobAt(0))
    const flipped = blobAt(0)
    flipped[40]! ^= 1
    const version2 = blobAt(0)
    version2[0] = 2
    const cases: [string, BlobErrorCode][] = [
      [`${token} at home ${token}`, 'TOKEN_TWICE'],
      [`at home ${token.slice(0, 220)}.`, 'TOKEN_DAMAGED'],
      [`at home ${formatToken(blobAt(0).subarray(0, -1))}`, 'SIGNATURE_BAD'],
      [`at home ${formatToken(flipped)}`, 'SIGNATURE_BAD'],
      [`at home ${formatToken(version2)}`, 'BLOB_UNKNOWN_VERSION'],
      [`at home ${token}${'A'.repeat(900)}`, 'TOKEN_TOO_LONG'],
    ]
    let ran = 0
    for (const [text, code] of cases) {
      const reading = readStatus(text)
      expect(codeOf(reading), text).toBe(code)
      expect(reading.words).toBe('at home')
      if (reading.kind === 'refused') expect(reading.error).toBeInstanceOf(BlobError)
      ran++
    }
    expect(ran).toBe(6)
  })

  test('refuses a well-signed table with unreadable names', () => {
    expect(codeOf(readStatus(formatToken(blobWithDocument(Uint8Array.of(7)))))).toBe('DEFLATE_INVALID')
    const tag = compress(new TextEncoder().encode('names: [!!str a]\n'), new Uint8Array(0))
    expect(codeOf(readStatus(formatToken(blobWithDocument(tag))))).toBe('DOCUMENT_SYNTAX')
  })
})

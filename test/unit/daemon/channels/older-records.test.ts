/** Records of channels that a version without the direct way has written. */
import { describe, expect, it } from 'vitest'
import { formatHex, parseHex } from '../../../../src/core/encoding/bytes.ts'
import { Reader, Writer } from '../../../../src/channel/exchange/fields.ts'
import { decodeEnd, encodeEnd, readFlags, writeFlags } from '../../../../src/daemon/channels/records/stored-end.ts'

// Written by the version before the direct way. Its byte after the mark of an end that is gone held one choice.
const PLACE_HEX =
  '0000004b' +
  Buffer.from('AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE.Zm9sZGVyOjAxMjM0NTY3ODlhYmNkZWY').toString('hex') +
  `00000020${'02'.repeat(32)}`
const BEFORE_HEX = `01000000010000000573746f72650000000001${PLACE_HEX}0000000000000000004008000000000000014014000000000000000000`
const AFTER_HEX = '00000001000000036b6579000000013ff00000000000000000000107'
const olderEnd = (showsPersona: boolean): Uint8Array =>
  parseHex(`${BEFORE_HEX}00${showsPersona ? '01' : '00'}${AFTER_HEX}`)!

describe('an end of an older version', () => {
  it.each([true, false])('is read as one that does not go directly (shows the persona: %s)', (showsPersona) => {
    const end = decodeEnd(olderEnd(showsPersona))
    expect(end).toMatchObject({ showsPersona, isDirect: false, isGone: false, store: 'store', ackedIn: 3 })
    expect([end.lastReceivedSec, end.sentKeys, end.channel]).toEqual([5, new Map([['key', 1]]), new Uint8Array([7])])
    expect(formatHex(encodeEnd(end))).toBe(formatHex(olderEnd(showsPersona)))
  })

  it('keeps both choices once it goes directly', () => {
    const end = { ...decodeEnd(olderEnd(true)), isDirect: true }
    expect(decodeEnd(encodeEnd(end))).toEqual(end)
  })
})

describe('the choices of an invite, a join and an end', () => {
  it.each([
    [false, false, 0],
    [true, false, 1],
    [false, true, 2],
    [true, true, 3],
  ])('are one byte (shows the persona: %s, direct: %s)', (showsPersona, isDirect, byte) => {
    const writer = new Writer()
    writeFlags(writer, { showsPersona, isDirect })
    expect([...writer.whole()]).toEqual([byte])
    expect(readFlags(new Reader(Uint8Array.of(byte), 0))).toEqual({ showsPersona, isDirect, more: 0 })
  })

  it('leave room for a number, which is 0 in a record of an older version', () => {
    const writer = new Writer()
    writeFlags(writer, { showsPersona: true, isDirect: false }, 2)
    expect([...writer.whole()]).toEqual([9])
    expect(readFlags(new Reader(Uint8Array.of(9), 0))).toEqual({ showsPersona: true, isDirect: false, more: 2 })
  })
})

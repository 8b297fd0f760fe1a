import { expect, it } from 'vitest'
import { hpkeOpenFrom, hpkeSealTo } from '../../../src/channel/hpke/hpke-seals.ts'
import { dataType, MAX_DATA_BYTES } from '../../../src/channel/ratchet/box-data.ts'
import { decodeUtf8, formatHex, parseBase64url, parseHex } from '../../../src/core/encoding/bytes.ts'
import { importBoxKeyPair } from '../../../src/seal/key-pair.ts'
import { meetingVectors } from '../../generate/meeting-vectors.ts'
import { LOW_ORDER } from '../../support/low-order.ts'
import { sodium } from '../../support/made-persona.ts'

it('the seals of the vectors open to their texts and exporters', async () => {
  let opened = 0
  for (const { inviteSecret, guestBoxSecret, m1, m2, expect: end } of meetingVectors()) {
    const inviteHash = parseHex(end.inviteHash)!
    const psk = end.psk === null ? null : parseHex(end.psk)
    const sealed = parseBase64url(m1.data)!.subarray(1)
    const wishes = { label: 'channel-m1', aad: inviteHash, psk } as const
    const first = await hpkeOpenFrom(await importBoxKeyPair('x25519', parseHex(inviteSecret)!))(wishes, sealed)
    expect([decodeUtf8(first!.plain), formatHex(first!.exporter)]).toEqual([m1.text, m1.exporter])
    const wishes2 = { label: 'channel-m2', aad: sodium.sha256(sealed), psk: first!.exporter } as const
    const openFrom = hpkeOpenFrom(await importBoxKeyPair('x25519', parseHex(guestBoxSecret)!))
    const second = await openFrom(wishes2, parseBase64url(m2.data)!.subarray(1))
    expect([decodeUtf8(second!.plain), formatHex(second!.exporter)]).toEqual([m2.text, m2.exporter])
    opened++
  }
  expect(opened).toBe(4)
})

it('a seal to a key of low order or of another length is none, and neither is one that is too short', async () => {
  const wishes = { label: 'channel-m1', aad: new Uint8Array(32), psk: null } as const
  for (const pub of [...LOW_ORDER, new Uint8Array(31)])
    expect(await hpkeSealTo(pub, wishes, new Uint8Array(9))).toBeNull()
  const pair = await importBoxKeyPair('x25519', new Uint8Array(32).fill(9))
  const sealed = await hpkeSealTo(pair.key.bytes, wishes, new Uint8Array(9))
  const openFrom = hpkeOpenFrom(pair)
  expect((await openFrom(wishes, sealed!.bytes))!.exporter).toEqual(sealed!.exporter)
  for (const end of [0, 32, 47]) expect(await openFrom(wishes, sealed!.bytes.slice(0, end))).toBeNull()
  for (const enc of LOW_ORDER)
    expect(await openFrom(wishes, Uint8Array.of(...enc, ...sealed!.bytes.subarray(32)))).toBeNull()
})

it('what travels is known by its first byte, and by its length', () => {
  expect([0, 1, 2, 3, 4, 5, 6].map((type) => dataType(Uint8Array.of(type)))).toEqual([null, 1, 2, 3, 4, 5, null])
  expect([dataType(new Uint8Array()), dataType(new Uint8Array(MAX_DATA_BYTES + 1).fill(5))]).toEqual([null, null])
  expect(dataType(new Uint8Array(MAX_DATA_BYTES).fill(5))).toBe(5)
})

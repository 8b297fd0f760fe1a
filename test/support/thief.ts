/** A thief of the current key: any table that readers accept, drawn wide, at every limit of the format. */
import * as fc from 'fast-check'
import { decodeBlob, encodeBlob } from '../../src/core/blob.ts'
import { DOCUMENT_DICTIONARY } from '../../src/core/encoding/dictionary.ts'
import { encodeUtf8, formatBase64url, parseBase64url, parseHex } from '../../src/core/encoding/bytes.ts'
import { MAX_DEVICES, MAX_DOCUMENT_BYTES, MAX_SEQ, MAX_SEQ_STEP } from '../../src/core/limits.ts'
import { encodeTable } from '../../src/core/table.ts'
import { composeStatus } from '../../src/core/token.ts'
import { decodeVerified } from '../../src/core/verify.ts'
import { positionOf } from '../../src/daemon/own/own-records.ts'
import { compress } from '../../src/daemon/own/compress.ts'
import { OWN_LAPTOP, OWN_PHONE, type TestKeeper } from './keeper.ts'
import { deviceKey, engine } from './person.ts'

/** One table of the thief, before it is signed. */
export interface Forgery {
  readonly keys: readonly string[]
  readonly document: string
  /** Further than the head, or 0 for a second table of the same seq. */
  readonly step: number
  readonly timeSec: number
  readonly follows: boolean
}

/** Differs from the owner's key in the last digits only, so that a mark for one of them is as long as it can be. */
const LOOKALIKE = `${OWN_LAPTOP.slice(0, 40)}${deviceKey('lookalike').slice(40, 62)}00`

const STRANGERS = Array.from({ length: MAX_DEVICES }, (_, i) => deviceKey(`stranger ${i}`))

const devices: fc.Arbitrary<string[]> = fc
  .tuple(
    fc.oneof(fc.constantFrom(0, 1, 14, 15, 17, 18, MAX_DEVICES), fc.nat(MAX_DEVICES)),
    fc.subarray([OWN_LAPTOP, OWN_PHONE, LOOKALIKE], { minLength: 0 }),
    fc.boolean(),
  )
  .map(([count, own, first]) => {
    const strangers = STRANGERS.slice(0, Math.max(0, count - own.length))
    return first ? [...own, ...strangers] : [...strangers, ...own]
  })

const NAMES = [
  (i: number) => `d${i}`,
  (i: number) => `"😀${i}"`,
  (i: number) => (i === 0 ? 'laptop' : `laptop-${i}`),
  (i: number) => `"${'\\"'.repeat(28)}${i}"`,
  (i: number) => String.fromCodePoint(0x4e00 + i * 37).repeat(20),
  (i: number) => `${'x'.repeat(28)}${i}`,
]

/** Lines that a reader keeps though it does not know their keys, each made to fill a limit or to meet a key of ours. */
const foreign: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom('', 'Names: x', 'NAMES: [a]', 'nAmes: [a,b]', 'Companions: x', 'companions: x', 'COMPANIONS: [ffff]'),
  fc.nat(MAX_DOCUMENT_BYTES).map((length) => `x: ${'a'.repeat(Math.max(1, length - 3))}`),
  fc.nat(300).map((times) => `y: "${'\\u0001'.repeat(times)}"`),
  fc.nat(900).map((times) => `z: '${'"\\'.repeat(times)}'`),
  fc.nat(500).map((times) => `k: [${'1,'.repeat(times)}1]`),
  fc.uint8Array({ maxLength: 500 }).map((bytes) => `r: ${Buffer.from(bytes).toString('base64url') || 'x'}`),
  fc.nat(120).map((count) => Array.from({ length: count }, (_, i) => `k${i}: v`).join('\n')),
)

function marksOf(keys: readonly string[], digits: number): string {
  return `companions: [${keys.map((key) => `"${key.slice(0, digits).toLowerCase()}"`).join(',')}]`
}

function documentOf(keys: readonly string[], naming: number | null, marks: number, line: string): string {
  const named =
    naming === null || keys.length === 0 ? '' : `names: [${keys.map((_, i) => NAMES[naming]!(i)).join(',')}]`
  const marked = marks === 0 || keys.length === 0 || line.startsWith('companions:') ? '' : marksOf(keys, marks)
  return [named, marked, line].filter((part) => part !== '').join('\n')
}

export const forgery: fc.Arbitrary<Forgery> = devices.chain((keys) =>
  fc.record({
    keys: fc.constant(keys),
    document: fc
      .tuple(fc.option(fc.nat(NAMES.length - 1), { nil: null }), fc.constantFrom(0, 4, 8, 64), foreign)
      .map(([naming, marks, line]) => documentOf(keys, naming, marks, line)),
    step: fc.constantFrom(0, 1, 1, 1, 2, 5, MAX_SEQ_STEP, MAX_SEQ_STEP + 1, MAX_SEQ),
    timeSec: fc.constantFrom(0, 1_767_225_600, 0xffff_ffff),
    follows: fc.boolean(),
  }),
)

/** Signs a forgery by the key that the keeper's device holds, on top of its head; null if no reader would take it. */
export function forge(keeper: TestKeeper, { keys, document, step, timeSec, follows }: Forgery): string | null {
  const own = keeper.records.own.get('own')!
  const head = decodeVerified(parseBase64url(keeper.records.personas.get(own.personaId)!.head!)!, engine)
  const draft = {
    chain: positionOf(own),
    seq: Math.min(MAX_SEQ, head.seq + step),
    timeSec,
    prev: follows ? head.tableHash.subarray(0, 16) : new Uint8Array(16),
    deviceKeys: keys.map((key) => parseHex(key)!),
    deflated: compress(encodeUtf8(document), DOCUMENT_DICTIONARY),
  }
  const blob = encodeBlob(draft, keeper.custody.signer(own.epoch))
  const status = composeStatus('', blob)
  if (status.bytesOver > 0 || !decodeVerified(decodeBlob(blob).bytes, engine).content.ok) return null
  return status.text
}

/** Lets the owner's own daemon be at this seq, as if it had signed that many tables. */
export async function atSeq(keeper: TestKeeper, seq: number): Promise<void> {
  const own = keeper.records.own.get('own')!
  const persona = keeper.records.personas.get(own.personaId)!
  await keeper.keeper.change(() => {
    const { blob } = encodeTable(
      {
        chain: positionOf(own),
        seq,
        timeSec: keeper.nowSec,
        prev: new Uint8Array(16),
        devices: persona.devices,
        named: own.named,
        document: [],
      },
      true,
      compress,
      keeper.custody.signer(own.epoch),
    )
    keeper.keeper.state.putPersona({ ...persona, head: formatBase64url(blob), seq })
  })
}

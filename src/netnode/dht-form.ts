/** Places, values and reports of the DHT as messages with a body, and back. */
import type { SignedValue, ValuePlace } from '../core/announce/signed-value.ts'
import { concatBytes, formatHex, parseHex } from '../core/encoding/bytes.ts'
import type { GetReport, OrderReport, PutReport } from '../dht/order.ts'
import type { Framed } from '../process/frame.ts'
import { MAX_VALUES, type Effort, type FoundForm, type PlaceForm, type Report, type ValueForm } from './protocol.ts'

type Answer<Type extends Report['type']> = Extract<Report, { type: Type }>

export function formatPlace({ publicKey, salt }: ValuePlace): PlaceForm {
  return { publicKey: formatHex(publicKey), salt: formatHex(salt) }
}

/** The schema has checked the digits. */
export function parsePlace({ publicKey, salt }: PlaceForm): ValuePlace {
  return { publicKey: parseHex(publicKey)!, salt: parseHex(salt)! }
}

export function formatValue({ seq, signature }: SignedValue): ValueForm {
  return { seq: String(seq), signature: formatHex(signature) }
}

/** @param bencoded the body of the order */
export function parseValue(place: ValuePlace, { seq, signature }: ValueForm, bencoded: Uint8Array): SignedValue {
  return { ...place, seq: BigInt(seq), bencoded, signature: parseHex(signature)! }
}

/** The values with the highest seq come first, so that those beyond the limit are the oldest. */
export function formatGot(id: number, report: GetReport): Framed<Answer<'dht.got'>> {
  const { values, body } = formatFound(report)
  return { message: { type: 'dht.got', id, values, ...effortOf(report) }, body }
}

export function formatStored(id: number, report: PutReport): Framed<Answer<'dht.stored'>> {
  const { nodesTook, nodesHold } = report
  const { values, body } = formatFound(report)
  return { message: { type: 'dht.stored', id, values, nodesTook, nodesHold, ...effortOf(report) }, body }
}

/** @returns null if the body has not the bytes of exactly these values */
export function parseGot(
  place: ValuePlace,
  { message, body }: Framed<Answer<'dht.got' | 'dht.stored'>>,
): GetReport | null {
  const values: GetReport['values'][number][] = []
  let at = 0
  for (const found of message.values) {
    const bencoded = body.subarray(at, at + found.bytes)
    at += found.bytes
    values.push({ signed: parseValue(place, found, bencoded), nodes: found.nodes })
  }
  return at === body.length ? { ...effortOf(message), values } : null
}

function formatFound({ values: all }: GetReport): { values: FoundForm[]; body: Uint8Array } {
  const values = all.slice(0, MAX_VALUES)
  const body = concatBytes(...values.map(({ signed }) => signed.bencoded))
  return {
    values: values.map(({ signed, nodes }) => ({ ...formatValue(signed), nodes, bytes: signed.bencoded.length })),
    body,
  }
}

function effortOf({ nodesAsked, nodesAnswered, sentBytes, receivedBytes, tookMs }: OrderReport): Effort {
  return { nodesAsked, nodesAnswered, sentBytes, receivedBytes, tookMs }
}

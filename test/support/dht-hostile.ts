/** Packets of hostile nodes. */
import * as fc from 'fast-check'

const ID = 'i'.repeat(20)

function query(kind: string, rest: string): string {
  return `d1:ad2:id20:${ID}${rest}e1:q${kind.length}:${kind}1:t4:abcd1:y1:qe`
}

/** Queries that end a node of bittorrent-dht 11.0.12 with one packet: an integer in place of a byte string. */
export const KILLERS: readonly string[] = [
  query('put', '5:tokeni1e1:v1:x'),
  query('get', '6:targeti1e'),
  query('find_node', '6:targeti1e'),
  query('get_peers', '9:info_hashi1e'),
]

export interface Change {
  readonly how: 'replace' | 'cut' | 'repeat' | 'end' | 'digit'
  /** The position, modulo the length. */
  readonly at: number
  readonly length: number
  readonly byte: number
}

/** A change of a good answer: bytes replaced, cut out, put in twice, or cut off. */
const changes: fc.Arbitrary<Change[]> = fc.array(
  fc.record({
    how: fc.constantFrom<Change['how']>('replace', 'cut', 'repeat', 'end', 'digit'),
    at: fc.nat(1200),
    length: fc.integer({ min: 1, max: 40 }),
    byte: fc.oneof(fc.nat(255), fc.constantFrom(...'dlei:-0123456789'.split('').map((letter) => letter.charCodeAt(0)))),
  }),
  { minLength: 1, maxLength: 4 },
)
export function mutate(packet: Uint8Array, list: readonly Change[]): Uint8Array {
  let bytes = [...packet]
  for (const { how, at: anywhere, length, byte } of list) {
    const at = anywhere % Math.max(1, bytes.length)
    if (how === 'replace') bytes[at] = byte
    else if (how === 'cut') bytes.splice(at, length)
    else if (how === 'repeat') bytes.splice(at, 0, ...bytes.slice(at, at + length))
    else if (how === 'end') bytes = bytes.slice(0, at)
    else bytes.splice(at, 0, byte)
  }
  return Uint8Array.from(bytes)
}

/** The same changes at every run. */
export function sampleChanges(count: number): Change[][] {
  return fc.sample(changes, { numRuns: count, seed: 1 })
}

/** Vectors of the order: the verdict on an incoming blob (docs/format.md, section 8). */
import { formatBase64url, formatHex, parseBase64url, parseHex } from '../../src/core/encoding/bytes.ts'
import type { Engine } from '../../src/core/engine.ts'
import { decodeBlob } from '../../src/core/blob.ts'
import { chainPositions, type ChainPosition } from '../../src/core/chain.ts'
import { MAX_CLOCK_AHEAD_SEC, MAX_SEQ_STEP } from '../../src/core/limits.ts'
import { judge, type OrderVerdict } from '../../src/core/order.ts'
import { verifyBlob } from '../../src/core/verify.ts'
import { makePersona, makeVerified, NOW_SEC, sodium, type BlobWishes } from '../support/made-persona.ts'

export interface OrderVector {
  readonly kind: 'order'
  readonly name: string
  readonly section: 8
  readonly comment: string
  readonly nowSec: number
  /** null if the persona was never seen. */
  readonly known: { readonly root: string; readonly minEpoch: number; readonly head: string | null } | null
  /** base64url, like the head. */
  readonly incoming: string
  readonly expect: OrderVerdict
}

/** The verdict of the code under test on the inputs of a vector. */
export function judgeVector(vector: OrderVector, engine: Engine): OrderVerdict {
  const read = (text: string): ReturnType<typeof verifyBlob> => verifyBlob(decodeBlob(parseBase64url(text)!), engine)
  const { known } = vector
  const head = known === null || known.head === null ? null : read(known.head)
  const persona = known === null ? null : { root: parseHex(known.root)!, minEpoch: known.minEpoch, head }
  return judge(read(vector.incoming), persona, vector.nowSec)
}

const ada = makePersona(1)
const SEQ = 100
const headWishes: BlobWishes = { seq: SEQ, devices: [0, 1], document: [['names', ['laptop', 'phone']]] }
const head = makeVerified(ada, headWishes)
const rotatedHead = makeVerified(ada, { ...headWishes, epoch: 2, seq: 1 })
const afterHead = head.tableHash.subarray(0, 16)
const UNREADABLE: BlobWishes = { document: 'names: [x', devices: [0, 1] }
const ROOT = formatHex(head.root)

// K_0 signs another chain, as a thief of K_0 would.
function otherChain(wishes: BlobWishes): BlobWishes {
  return { ...wishes, chain: { next: new Uint8Array(32).fill(9) } }
}

/** The position in a second chain that K_0 committed to: the same keys up to the epoch, other keys after it. */
function forged(epoch: number): Partial<ChainPosition> {
  const stolen = makePersona(2)
  const keys = ada.positions.map(({ signingKey }, i) => (i <= epoch ? signingKey : stolen.positions[i]!.signingKey))
  return chainPositions(keys, sodium, (message) => ada.sign(0, message))[epoch]!
}

function lowerOfFork(wins: boolean): BlobWishes {
  for (let n = 0; ; n++) {
    const wishes: BlobWishes = { ...headWishes, document: `note: ${n}` }
    const candidate = makeVerified(ada, wishes)
    if (formatHex(candidate.tableHash) < formatHex(head.tableHash) === wins) return wishes
  }
}

type Case = readonly [name: string, comment: string, incoming: BlobWishes, expect: OrderVerdict, against?: Against]
interface Against {
  readonly head?: typeof head | null
  readonly minEpoch?: number
  readonly known?: false
}

const next: BlobWishes = { ...headWishes, seq: SEQ + 1, devices: [0], document: '' }
const CASES: readonly Case[] = [
  ['new-persona', 'The persona is unknown.', headWishes, { verdict: 'new' }, { known: false }],
  [
    'new-head',
    'Only the contact link is known, with c_0 and an epoch.',
    headWishes,
    { verdict: 'new' },
    { head: null },
  ],
  [
    'below-link-epoch',
    'The epoch is below that of the contact link.',
    headWishes,
    { verdict: 'stale' },
    { head: null, minEpoch: 1 },
  ],
  [
    'at-link-epoch',
    'The epoch is that of the contact link.',
    { ...headWishes, epoch: 1 },
    { verdict: 'new' },
    { head: null, minEpoch: 1 },
  ],
  [
    'higher-epoch',
    'A rotation replaces every blob of a lower epoch, whatever its seq.',
    { ...next, epoch: 1, seq: 1 },
    { verdict: 'accept', rotated: true, forkBehind: false },
  ],
  [
    'higher-epoch-skipped',
    'Epochs may be skipped.',
    { ...next, epoch: 16, seq: 1 },
    { verdict: 'accept', rotated: true, forkBehind: false },
  ],
  [
    'next-seq',
    'The next table, made from the head.',
    { ...next, prev: afterHead },
    { verdict: 'accept', rotated: false, forkBehind: false },
  ],
  [
    'next-seq-fork-behind',
    'The next table, made from another table with the head’s seq.',
    next,
    { verdict: 'accept', rotated: false, forkBehind: true },
  ],
  [
    'later-seq',
    'Some tables in between were never seen.',
    { ...next, seq: SEQ + 2 },
    { verdict: 'accept', rotated: false, forkBehind: false },
  ],
  [
    'largest-step',
    'The largest step that is followed.',
    { ...next, seq: SEQ + MAX_SEQ_STEP },
    { verdict: 'accept', rotated: false, forkBehind: false },
  ],
  [
    'step-too-large',
    'A step that is larger by one is held.',
    { ...next, seq: SEQ + MAX_SEQ_STEP + 1 },
    { verdict: 'held' },
  ],
  ['same-table', 'The head again.', headWishes, { verdict: 'refresh', later: false }],
  [
    'resigned-later',
    'The same table signed later.',
    { ...headWishes, timeSec: NOW_SEC + MAX_CLOCK_AHEAD_SEC },
    { verdict: 'refresh', later: true },
  ],
  [
    'resigned-earlier',
    'The same table signed earlier.',
    { ...headWishes, timeSec: NOW_SEC - 1 },
    { verdict: 'refresh', later: false },
  ],
  [
    'resigned-ahead',
    'A time more than two hours ahead of this clock refreshes nothing.',
    { ...headWishes, timeSec: NOW_SEC + MAX_CLOCK_AHEAD_SEC + 1 },
    { verdict: 'refresh', later: false },
  ],
  [
    'fork-fewer-devices',
    'The table with fewer devices wins a fork.',
    { ...headWishes, devices: [0], document: '' },
    { verdict: 'fork', wins: true },
  ],
  [
    'fork-more-devices',
    'The table with more devices loses a fork.',
    { ...headWishes, devices: [0, 1, 2], document: '' },
    { verdict: 'fork', wins: false },
  ],
  [
    'fork-lower-hash',
    'With equally many devices, the lower T wins.',
    lowerOfFork(true),
    { verdict: 'fork', wins: true },
  ],
  [
    'fork-higher-hash',
    'With equally many devices, the higher T loses.',
    lowerOfFork(false),
    { verdict: 'fork', wins: false },
  ],
  ['lower-seq', 'An older table.', { ...headWishes, seq: SEQ - 1 }, { verdict: 'stale' }],
  [
    'lower-epoch',
    'A table of a lower epoch is stale, whatever its seq.',
    { ...headWishes, seq: 0xffff_ffff },
    { verdict: 'stale' },
    { head: rotatedHead },
  ],
  [
    'higher-epoch-any-seq',
    'The first known blob of a later epoch need not be its first table.',
    { ...next, epoch: 3, seq: 0xffff_ffff },
    { verdict: 'accept', rotated: true, forkBehind: false },
  ],
  [
    'skipped-epoch',
    'A table of an epoch that the owner skipped is stale, like any other below the head’s epoch.',
    { ...next, epoch: 1, seq: 0xffff_ffff },
    { verdict: 'stale' },
    { head: rotatedHead },
  ],
  [
    'epoch-reused',
    'Two rotations to the same epoch, unaware of each other. The order picks one, and both are kept.',
    { devices: [0], epoch: 2, seq: 1 },
    { verdict: 'fork', wins: true },
    { head: rotatedHead },
  ],
  [
    'recommit-higher-epoch',
    'A thief of K_0 and K_3 commits to other keys after K_3 and signs a new inception. Readers with the pinned c_0 refuse it.',
    { ...next, epoch: 3, chain: forged(3) },
    { verdict: 'violation' },
    { head: rotatedHead },
  ],
  [
    'recommit-same-epoch',
    'The same attack at the epoch of the head.',
    { ...next, epoch: 2, seq: 2, chain: forged(2) },
    { verdict: 'violation' },
    { head: rotatedHead },
  ],
  ['other-chain', 'A second chain with the same PersonaID.', otherChain(next), { verdict: 'violation' }],
  [
    'other-chain-stale',
    'The check for a violation comes before stale.',
    otherChain({ ...headWishes, seq: 1 }),
    { verdict: 'violation' },
  ],
  [
    'other-chain-unreadable',
    'A violation does not need a readable document.',
    otherChain({ ...UNREADABLE, seq: 1 }),
    { verdict: 'violation' },
  ],
  [
    'unreadable-new',
    'The first blob of a persona must be readable.',
    UNREADABLE,
    { verdict: 'refused', code: 'DOCUMENT_SYNTAX' },
    { known: false },
  ],
  [
    'unreadable-same-epoch',
    'Within the head’s epoch, a blob with a bad document is refused.',
    { ...UNREADABLE, seq: SEQ + 1 },
    { verdict: 'refused', code: 'DOCUMENT_SYNTAX' },
  ],
  [
    'unreadable-fork',
    'A blob with a bad document cannot win a fork.',
    { ...UNREADABLE, seq: SEQ, devices: [0] },
    { verdict: 'refused', code: 'DOCUMENT_SYNTAX' },
  ],
  [
    'unreadable-higher-epoch',
    'The keys of a higher epoch count even with a bad document, since a rotation shuts a thief out.',
    { ...UNREADABLE, epoch: 1 },
    { verdict: 'accept', rotated: true, forkBehind: false },
  ],
]

export function orderVectors(): OrderVector[] {
  return CASES.map(([name, comment, incoming, expect, against = {}]) => {
    const base = against.head === null ? null : formatBase64url((against.head ?? head).bytes)
    const known = against.known === false ? null : { root: ROOT, minEpoch: against.minEpoch ?? 0, head: base }
    const blob = formatBase64url(makeVerified(ada, incoming).bytes)
    return { kind: 'order', name, section: 8, comment, nowSec: NOW_SEC, known, incoming: blob, expect }
  })
}

/** Vectors of successor statements: the verdict of a reader who knows something of the old persona (docs/format.md, section 14). */
import { formatBase64url, formatHex, parseBase64url, parseHex } from '../../src/core/encoding/bytes.ts'
import { decodeBlob } from '../../src/core/blob.ts'
import { LINK_BYTES } from '../../src/core/chain.ts'
import type { Engine } from '../../src/core/engine.ts'
import { MAX_EPOCH } from '../../src/core/limits.ts'
import {
  judgeStatement,
  makeStatement,
  parseStatement,
  shorterStatements,
  type StatementVerdict,
} from '../../src/core/succession/statement.ts'
import { verifyBlob } from '../../src/core/verify.ts'
import { makePersona, makeVerified, type MadePersona } from '../support/made-persona.ts'

export interface SuccessorVector {
  readonly kind: 'successor'
  readonly name: string
  readonly section: 14
  readonly comment: string
  /** Value of the key `predecessor`. */
  readonly statement: string
  /** The persona whose blob carries it. */
  readonly successor: { readonly personaId: string; readonly root: string }
  /** All that the reader knows of the old persona; the head is base64url, or null while only a link is known. */
  readonly old: {
    readonly personaId: string
    readonly root: string
    readonly minEpoch: number
    readonly head: string | null
  }
  /** `none`: the value has another form, and means nothing. */
  readonly expect: { readonly verdict: StatementVerdict | 'none' }
}

/** The verdict of the code under test on the inputs of a vector. */
export function judgeSuccessor(vector: SuccessorVector, engine: Engine): SuccessorVector['expect'] {
  const statement = parseStatement(vector.statement)
  if (statement === null) return { verdict: 'none' }
  const { old, successor } = vector
  const head = old.head === null ? null : verifyBlob(decodeBlob(parseBase64url(old.head)!), engine)
  const named = { personaId: parseHex(successor.personaId)!, root: parseHex(successor.root)! }
  const known = { root: parseHex(old.root)!, minEpoch: old.minEpoch, head }
  return { verdict: judgeStatement(statement, named, parseHex(old.personaId)!, known, engine) }
}

const [ada, bea, eve] = [makePersona(1), makePersona(2), makePersona(3)]

function rootOf({ positions }: MadePersona): { personaId: Uint8Array; root: Uint8Array } {
  return { personaId: positions[0]!.personaId, root: positions[0]!.next }
}

/** @param signer holds the key that signs; @param epoch of that key */
function statementOf(old: MadePersona, successor: MadePersona, signer = old, epoch = MAX_EPOCH): Uint8Array {
  return makeStatement(old.positions[MAX_EPOCH]!, rootOf(old).root, rootOf(successor), (message) =>
    signer.sign(epoch, message),
  )
}

const whole = statementOf(ada, bea)

function cutTo(from: number): string {
  return shorterStatements(whole)[from]!
}

function changed(at: number): string {
  const bytes = whole.slice()
  bytes[at]! ^= 1
  return formatBase64url(bytes)
}

interface Against {
  readonly epoch?: number | null
  readonly minEpoch?: number
  readonly successor?: MadePersona
  readonly old?: MadePersona
}
type Case = readonly [name: string, comment: string, statement: string, Against, StatementVerdict | 'none']

const text = formatBase64url(whole)
const atLinks = whole.length - 15 * LINK_BYTES
const byOtherChain = formatBase64url(
  makeStatement(
    { ...eve.positions[MAX_EPOCH]!, personaId: rootOf(ada).personaId },
    rootOf(ada).root,
    rootOf(bea),
    (message) => eve.sign(MAX_EPOCH, message),
  ),
)
const CASES: readonly Case[] = [
  ['good-epoch-0', 'The whole statement, and a head of epoch 0.', text, { epoch: 0 }, 'proven'],
  ['good-epoch-15', 'The last epoch before that of the signing key.', text, { epoch: 15 }, 'proven'],
  ['good-link', 'Only a contact link of the old persona is known.', text, { epoch: null }, 'proven'],
  ['good-cut', 'It begins after the epoch of the head.', cutTo(5), { epoch: 5 }, 'proven'],
  ['good-shortest', 'It has no link, since h_16 follows from the key.', cutTo(15), { epoch: 15 }, 'proven'],
  ['behind', 'It begins later than the head that is known.', cutTo(6), { epoch: 5 }, 'behind'],
  ['behind-link', 'Only a link is known, and the statement is cut.', cutTo(1), { epoch: null }, 'behind'],
  ['epoch-16', 'The last key signed the head, so a device had it.', cutTo(15), { epoch: 16 }, 'unproven'],
  ['link-epoch-16', 'The contact link was made at epoch 16.', text, { epoch: null, minEpoch: 16 }, 'unproven'],
  ['other-successor', 'A third persona carries it.', text, { epoch: 0, successor: eve }, 'invalid'],
  ['other-old', 'It names another persona than the known one.', text, { epoch: 0, old: eve }, 'invalid'],
  [
    'own-persona',
    'A persona cannot follow itself.',
    formatBase64url(statementOf(ada, ada)),
    { epoch: 0, successor: ada },
    'invalid',
  ],
  [
    'by-earlier-key',
    'The key of epoch 15 signed it: a thief of a device has no more.',
    formatBase64url(statementOf(ada, bea, ada, 15)),
    { epoch: 15 },
    'invalid',
  ],
  [
    'by-other-chain',
    'A thief signed with the last key of a chain of their own.',
    byOtherChain,
    { epoch: 0 },
    'invalid',
  ],
  [
    'by-other-key-at-epoch-16',
    'The signing key is not the one of the head of epoch 16.',
    byOtherChain,
    { epoch: 16 },
    'invalid',
  ],
  ['link-changed', 'h_1 is another.', changed(atLinks), { epoch: 0 }, 'invalid'],
  ['unneeded-link-changed', 'h_1 is another, and the head already has it.', changed(atLinks), { epoch: 1 }, 'proven'],
  ['signature-changed', 'One bit of the signature.', changed(64), { epoch: 0 }, 'invalid'],
  ['too-short', 'One byte less than the shortest.', formatBase64url(whole.subarray(0, 127)), { epoch: 15 }, 'none'],
  [
    'too-long',
    'It has sixteen links.',
    formatBase64url(new Uint8Array(whole.length + LINK_BYTES)),
    { epoch: 0 },
    'none',
  ],
  ['half-a-link', 'A link is incomplete.', formatBase64url(whole.subarray(0, whole.length - 8)), { epoch: 0 }, 'none'],
  ['not-canonical', 'Padding is not base64url.', `${text}=`, { epoch: 0 }, 'none'],
]

export function successorVectors(): SuccessorVector[] {
  return CASES.map(([name, comment, statement, { epoch, minEpoch = 0, successor = bea, old = ada }, verdict]) => ({
    kind: 'successor',
    name,
    section: 14,
    comment,
    statement,
    successor: { personaId: formatHex(rootOf(successor).personaId), root: formatHex(rootOf(successor).root) },
    old: {
      personaId: formatHex(rootOf(old).personaId),
      root: formatHex(rootOf(old).root),
      minEpoch,
      head:
        epoch === null || epoch === undefined
          ? null
          : formatBase64url(makeVerified(old, { epoch, devices: [0] }).bytes),
    },
    expect: { verdict },
  }))
}

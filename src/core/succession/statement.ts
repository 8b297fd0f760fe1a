/** The successor statement: the last key of a chain names the persona that follows, which carries it in its document (docs/format.md, section 14). */
import { COMMITMENT_BYTES, commitmentBefore, LINK_BYTES, linkOf, type ChainPosition } from '../chain.ts'
import { concatBytes, equalBytes, formatBase64url, parseBase64url } from '../encoding/bytes.ts'
import { PREDECESSOR, type Document } from '../document.ts'
import type { Engine } from '../engine.ts'
import { LABEL_SUCCESSOR } from '../labels.ts'
import { MAX_EPOCH } from '../limits.ts'
import type { KnownPersona } from '../order.ts'

const KEY_BYTES = 32
const SIGNATURE_BYTES = 64
const FIXED_BYTES = 2 * KEY_BYTES + SIGNATURE_BYTES
const MAX_LINKS = MAX_EPOCH - 1 // format: h_1 .. h_15; h_16 follows from K_16 itself
export const MAX_STATEMENT_BYTES: number = FIXED_BYTES + MAX_LINKS * LINK_BYTES // format: 368 bytes with every link

/** PersonaID and c_0 of one persona. */
export interface PersonaRoot {
  /** K_0, 32 bytes. */
  readonly personaId: Uint8Array
  /** c_0, 32 bytes. */
  readonly root: Uint8Array
}

/** A statement as it travels, not yet judged. */
export interface SuccessorStatement {
  /** The whole value, 128..368 bytes. */
  readonly bytes: Uint8Array
  /** K_0 of the persona that is followed, 32 bytes. */
  readonly personaId: Uint8Array
  /** K_16 of that persona, 32 bytes. */
  readonly lastKey: Uint8Array
  /** By K_16, 64 bytes. */
  readonly signature: Uint8Array
  /** h_(from+1) .. h_15, 16 bytes each. */
  readonly links: Uint8Array
  /** The lowest epoch, 0..15, whose table a reader must know to judge the statement. */
  readonly from: number
}

/**
 * - `proven`: it is signed by a key that only the recovery words give, as far as this reader has seen.
 * - `unproven`: the reader has seen the last key in use. The owner may have signed it, or a thief of a device that had this key.
 * - `behind`: the reader knows no table that is new enough to judge it.
 * - `invalid`: it is of another persona or chain, names another successor, or is signed by another key.
 */
export type StatementVerdict = 'proven' | 'unproven' | 'behind' | 'invalid'

/** The statement of a document; null if there is none, or a value of another form, which means nothing. */
export function readStatement(document: Document): SuccessorStatement | null {
  const value = document.find(([key]) => key === PREDECESSOR)?.[1]
  return typeof value === 'string' ? parseStatement(value) : null
}

/** Parses base64url. Null for any other text and for a length that no statement has. */
export function parseStatement(text: string): SuccessorStatement | null {
  const bytes = parseBase64url(text)
  if (bytes === null || bytes.length < FIXED_BYTES || bytes.length > MAX_STATEMENT_BYTES) return null
  const links = bytes.subarray(FIXED_BYTES)
  if (links.length % LINK_BYTES !== 0) return null
  return {
    bytes,
    personaId: bytes.subarray(0, KEY_BYTES),
    lastKey: bytes.subarray(KEY_BYTES, 2 * KEY_BYTES),
    signature: bytes.subarray(2 * KEY_BYTES, FIXED_BYTES),
    links,
    from: MAX_LINKS - links.length / LINK_BYTES,
  }
}

/** The message that K_16 of the old persona signs. It binds both chains. */
export function successorMessage(old: PersonaRoot, successor: PersonaRoot): Uint8Array {
  return concatBytes(LABEL_SUCCESSOR, old.personaId, old.root, successor.personaId, successor.root)
}

/**
 * Makes the whole statement, which every reader of the old persona can judge.
 * @param last position of epoch 16 of the old persona
 * @param root c_0 of the old persona, 32 bytes
 * @param sign makes a detached signature by K_16, 64 bytes
 * @returns 368 bytes
 */
export function makeStatement(
  last: ChainPosition,
  root: Uint8Array,
  successor: PersonaRoot,
  sign: (message: Uint8Array) => Uint8Array,
): Uint8Array {
  const signature = sign(successorMessage({ personaId: last.personaId, root }, successor))
  return concatBytes(last.personaId, last.signingKey, signature, last.links)
}

/** The statement as values of the document, the longest first. Each shorter one lacks the link of one more epoch. */
export function shorterStatements(whole: Uint8Array): string[] {
  const [fixed, links] = [whole.subarray(0, FIXED_BYTES), whole.subarray(FIXED_BYTES)]
  return Array.from({ length: links.length / LINK_BYTES + 1 }, (_, cut) =>
    formatBase64url(concatBytes(fixed, links.subarray(cut * LINK_BYTES))),
  )
}

/**
 * Judges a statement against what is known of the persona that it ends. A device holds the key of one epoch, and cannot name a later one.
 * So the key of epoch 16 proves the recovery words, until a reader has seen that key in use.
 * @param successor persona whose blob carries the statement
 * @param old everything known of the persona that it names
 */
export function judgeStatement(
  statement: SuccessorStatement,
  successor: PersonaRoot,
  personaId: Uint8Array,
  old: KnownPersona,
  engine: Engine,
): StatementVerdict {
  if (!equalBytes(statement.personaId, personaId) || equalBytes(successor.personaId, personaId)) return 'invalid'
  const epoch = old.head?.epoch ?? 0
  if (epoch < statement.from && epoch < MAX_EPOCH) return 'behind'
  if (!continues(statement, epoch, old, engine)) return 'invalid'
  const message = successorMessage({ personaId, root: old.root }, successor)
  if (!engine.verify(statement.signature, message, statement.lastKey)) return 'invalid'
  return Math.max(epoch, old.minEpoch) === MAX_EPOCH ? 'unproven' : 'proven'
}

/** Whether the chain that the reader knows leads to the last key of the statement. */
function continues(statement: SuccessorStatement, epoch: number, old: KnownPersona, engine: Engine): boolean {
  if (old.head !== null && epoch === MAX_EPOCH) return equalBytes(statement.lastKey, old.head.signingKey)
  const links = statement.links.subarray((epoch - statement.from) * LINK_BYTES)
  return equalBytes(commitmentOf(statement.lastKey, links, engine), old.head?.next ?? old.root)
}

/** c_i of a chain that ends in this key. @param links h_(i+1) .. h_15 */
function commitmentOf(lastKey: Uint8Array, links: Uint8Array, engine: Engine): Uint8Array {
  const all = concatBytes(links, linkOf(lastKey, engine))
  return commitmentBefore(all, new Uint8Array(COMMITMENT_BYTES), engine)
}

/** Whether a whole statement names this successor. It shows its own chain, so nothing else needs to be known. */
export function isWholeStatement(statement: SuccessorStatement, successor: PersonaRoot, engine: Engine): boolean {
  const { personaId, lastKey, links, signature, from } = statement
  if (from > 0 || equalBytes(personaId, successor.personaId)) return false
  const root = commitmentOf(lastKey, links, engine)
  return engine.verify(signature, successorMessage({ personaId, root }, successor), lastKey)
}

/** The successor statement that the own tables carry (docs/format.md, section 14). Pure. */
import type { Engine } from '../../core/engine.ts'
import {
  isWholeStatement,
  parseStatement,
  readStatement,
  shorterStatements,
  type SuccessorStatement,
} from '../../core/succession/statement.ts'
import type { VerifiedBlob } from '../../core/verify.ts'
import type { OwnRecord } from '../state/own-record.ts'

/**
 * The statement that a table of the own persona carries, in the forms of {@link shorterStatements}. An edit carries it on if the head has
 * it, as long as it was made. A rotation, which starts clean, carries the one that is known to be whole.
 * @param head the table before; its statement may be cut, or a thief's
 */
export function carriedStatement(
  own: Pick<OwnRecord, 'predecessor'>,
  head: VerifiedBlob,
  isRotation: boolean,
  engine: Engine,
): string[] {
  const shown = head.content.ok ? readStatement(head.content.document) : null
  const known = own.predecessor == null ? null : parseStatement(own.predecessor)
  const ofEdit = shown === null ? null : (known ?? shown)
  const carried = isRotation ? ofRotation(own, head, known ?? shown, engine) : ofEdit
  return carried === null ? [] : shorterStatements(carried.bytes)
}

function ofRotation(
  { predecessor }: Pick<OwnRecord, 'predecessor'>,
  head: VerifiedBlob,
  statement: SuccessorStatement | null,
  engine: Engine,
): SuccessorStatement | null {
  // The owner ended it here.
  if (predecessor === null || statement === null) return null
  return isWholeStatement(statement, head, engine) ? statement : null
}

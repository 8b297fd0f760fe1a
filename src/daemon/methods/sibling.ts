/** The methods between siblings (docs/ipc.md, section 3). */
import { noPersona } from '../state/errors.ts'
import { OwnPersonaError } from '../own/errors.ts'
import { equalBytes, formatHex } from '../../core/encoding/bytes.ts'
import { BlobError } from '../../core/errors.ts'
import { judgeStatus, type VerifiedBlob } from '../../core/verify.ts'
import type { Handlers } from '../../ipc/methods/method.ts'
import type { Methods } from '../../ipc/methods/table.ts'
import type { OrderVerdict } from '../../ipc/shapes/judged.ts'
import { judgeAgainst } from '../personas/decide.ts'
import { headOf } from '../personas/heads.ts'
import type { Keeper } from '../keeper/keeper.ts'

export type SiblingMethods = Pick<Methods, 'sibling.sync'>

export function siblingHandlers(keeper: Keeper): Handlers<SiblingMethods> {
  return {
    // Two changes, so that we keep a table that takes this device out, although we then cannot show ours.
    'sibling.sync': async ({ text }) => {
      const verdict = text === undefined ? null : await keeper.change(() => readTable(text, keeper))
      return { verdict, status: await keeper.statusMessage('') }
    },
  }
}

/** @throws {KeeperError} NO_PERSONA {OwnPersonaError} SIBLING_NO_TABLE | SIBLING_FOREIGN @throws {BlobError} */
function readTable(text: string, { own, state, engine, nowSec }: Keeper): OrderVerdict {
  const persona = own.personaId === null ? undefined : state.persona(own.personaId)
  if (persona === undefined) throw noPersona()
  const { blob } = judgeStatus(text, engine, state.inceptions)
  if (blob === null) {
    const hint = 'give the text that your other device exported, or the status message that it shows'
    throw new OwnPersonaError('SIBLING_NO_TABLE', 'this text holds no persona token', hint)
  }
  const of = formatHex(blob.personaId)
  if (of !== persona.personaId) {
    const message = `this table belongs to the persona ${of}, not to yours`
    throw new OwnPersonaError('SIBLING_FOREIGN', message, "report a contact's table as an observation")
  }
  const judged = judgeAgainst(persona, blob, state)
  if (judged.verdict === 'refused') throw unreadable(blob)
  const head = headOf(persona, state)
  const isOwn = head !== null && equalBytes(blob.bytes, head.bytes)
  // The file may be old, or this daemon may have written it. A copy proves no time but that of its signature.
  own.seeOwnBlob(blob, judged, { from: '', mayNote: true, copySec: isOwn ? null : Math.min(blob.timeSec, nowSec) })
  return judged.verdict
}

function unreadable({ content }: VerifiedBlob): BlobError {
  if (content.ok) throw new Error('a table that can be read was refused')
  return new BlobError(content.code, content.message)
}

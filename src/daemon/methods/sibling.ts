/** The methods between siblings (docs/ipc.md, section 3). */
import { noPersona } from '../state/errors.ts'
import { OwnPersonaError } from '../own/errors.ts'
import { equalBytes, formatHex } from '../../core/encoding/bytes.ts'
import { BlobError } from '../../core/errors.ts'
import { judgeStatus, type VerifiedBlob } from '../../core/verify.ts'
import type { Handlers } from '../../ipc/methods/method.ts'
import type { Methods } from '../../ipc/methods/all-methods.ts'
import type { OrderVerdict } from '../../ipc/shapes/judged.ts'
import { judgeAgainst } from '../personas/decide.ts'
import { headOf } from '../personas/heads.ts'
import type { Keeper } from '../keeper/keeper.ts'

export type SiblingMethods = Pick<Methods, 'sibling.sync'>

export function siblingHandlers(keeper: Keeper): Handlers<SiblingMethods> {
  return {
    // Two changes: a table that removes this device is accepted, although this device then has no status message to show.
    'sibling.sync': async ({ text }) => {
      const verdict = text === undefined ? null : await keeper.change(() => acceptTable(text, keeper))
      return { verdict, status: await keeper.statusMessage('') }
    },
  }
}

/** @throws {KeeperError} NO_PERSONA {OwnPersonaError} SIBLING_NO_TABLE | SIBLING_FOREIGN @throws {BlobError} */
function acceptTable(text: string, { own, state, engine, nowSec }: Keeper): OrderVerdict {
  const persona = own.personaId === null ? undefined : state.persona(own.personaId)
  if (persona === undefined) throw noPersona()
  const { blob } = judgeStatus(text, engine, state.inceptions)
  if (blob === null) {
    const hint = 'give the text that your other device exported, or the status message that it shows'
    throw new OwnPersonaError('SIBLING_NO_TABLE', 'this text holds no persona token', hint)
  }
  const personaId = formatHex(blob.personaId)
  if (personaId !== persona.personaId) {
    const message = `this table belongs to the persona ${personaId}, not to yours`
    throw new OwnPersonaError('SIBLING_FOREIGN', message, "report a contact's table as an observation")
  }
  const judged = judgeAgainst(persona, blob, state)
  if (judged.verdict === 'refused') throw unreadable(blob)
  const head = headOf(persona, state)
  const isOwn = head !== null && equalBytes(blob.bytes, head.bytes)
  // The file may be old, or this daemon's own export. Only the time in its signature dates a copy.
  own.seeOwnBlob(blob, judged, { from: '', mayNote: true, copySec: isOwn ? null : Math.min(blob.timeSec, nowSec) })
  return judged.verdict
}

function unreadable({ content }: VerifiedBlob): BlobError {
  if (content.ok) throw new Error('a table that can be read was refused')
  return new BlobError(content.code, content.message)
}

/** The methods of alarms: listing and dismissing them, and exporting evidence that others can check (docs/ipc.md, section 3, alarms). */
import { cardEvidence } from '../cards/kept/evidence.ts'
import { ContactError } from '../contacts/errors.ts'
import { parseBase64url } from '../../core/encoding/bytes.ts'
import { formatToken } from '../../core/token.ts'
import { findContact } from '../contacts/find.ts'
import { alarmView, listAlarms } from '../keeper/alarms.ts'
import type { Keeper } from '../keeper/keeper.ts'
import { theftsOf } from '../personas/thefts.ts'
import { KeeperError } from '../state/errors.ts'
import type { Handlers } from '../../ipc/methods/method.ts'
import type { Methods } from '../../ipc/methods/all-methods.ts'
import type { Alarm, EvidenceBlob, EvidenceFile } from '../../ipc/shapes/alarms.ts'

export type AlarmMethods = Pick<Methods, 'alarm.list' | 'alarm.dismiss' | 'evidence.get'>

export function alarmHandlers(keeper: Keeper): Handlers<AlarmMethods> {
  return {
    'alarm.list': async () => ({ alarms: await listAlarms(keeper) }),
    'alarm.dismiss': async ({ id }) => await dismiss(keeper, id),
    'evidence.get': async ({ contact }) => await evidence(keeper, contact),
  }
}

async function dismiss(keeper: Keeper, id: string): Promise<Alarm> {
  return await keeper.change(() => {
    const { alarms } = keeper.state.records
    const record = alarms.get(id.toLowerCase())
    if (record === undefined)
      throw new KeeperError('NOT_FOUND', `there is no alarm ${id}`, 'list the alarms', { what: 'alarm' })
    keeper.state.stage(alarms.remove(id.toLowerCase()))
    return alarmView(id.toLowerCase(), record, keeper)
  })
}

async function evidence(keeper: Keeper, query: string): Promise<EvidenceFile> {
  const { personaId } = await findContact(query, keeper.reader())
  const persona = personaId === null ? undefined : keeper.onDisk.personas.get(personaId)
  if (persona === undefined) {
    throw new ContactError(
      'CONTACT_PROVISIONAL',
      `${query} has no persona yet, so there is no evidence`,
      'wait until the contact shows a persona',
    )
  }
  const blobsOf = (kind: EvidenceBlob['kind'], blob: string | null, seenAtSec: number | null): EvidenceBlob[] => {
    const bytes = blob === null ? null : parseBase64url(blob)
    return bytes === null ? [] : [{ kind, seenAtSec, token: formatToken(bytes) }]
  }
  const items = theftsOf(persona.personaId, keeper.onDisk).flatMap(({ epoch, item, seenSec, readingKey }) =>
    readingKey === undefined ? [] : [{ epoch, seenAtSec: seenSec, readingKey, ...item }],
  )
  const cards = cardEvidence(persona.personaId, keeper.onDisk)
  return {
    type: 'persona evidence',
    version: 1,
    personaId: persona.personaId,
    root: persona.root,
    exportedAtSec: keeper.nowSec,
    blobs: [
      ...blobsOf('head', persona.head, null),
      ...blobsOf('held', persona.held, null),
      ...persona.evidence.flatMap(({ kind, blob, seenAtSec }) => blobsOf(kind, blob, seenAtSec)),
    ],
    ...(items.length === 0 ? {} : { items }),
    ...(cards.length === 0 ? {} : { cards }),
  }
}

/** The devices of the owner in the newest card of an app: the card tells their tags, and the table has the devices of those. Pure: it reads records. */
import { formatHex } from '../../core/encoding/bytes.ts'
import type { Engine } from '../../core/engine.ts'
import type { Records } from '../state/records.ts'
import { knownCards } from './kept/known.ts'
import type { CardReader } from './kept/read-card.ts'
import { usedApps } from './own-record.ts'
import { tagsOf } from './tags.ts'

/** See Cards.ownDevices(). */
export function ownDevicesIn(
  app: string,
  { records, reader, engine }: { readonly records: Records; readonly reader: CardReader; readonly engine: Engine },
): ReadonlyMap<string, string> {
  const used = usedApps(records)
  if (used === null) return new Map()
  const { record, now } = used
  const { devices, root } = now.persona
  const keys = new Map<string, string>()
  for (const { key } of devices) for (const tag of tagsOf(key, record.reads, root, engine)) keys.set(tag, key)
  const card = knownCards(record.personaId, records, reader).cards.get(app)
  const listed = (card?.devices ?? []).flatMap(({ sig, tag }): [string, string][] => {
    const key = keys.get(formatHex(tag))
    return key === undefined ? [] : [[formatHex(sig), key]]
  })
  return new Map(listed)
}

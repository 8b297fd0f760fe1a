/** Another device of the owner, by its key for an app: the card tells its tag, and the table has the device of that tag. Pure: it reads records. */
import { equalBytes, formatHex } from '../../core/encoding/bytes.ts'
import type { Engine } from '../../core/engine.ts'
import type { Records } from '../state/records.ts'
import { knownCards } from './kept/known.ts'
import type { CardReader } from './kept/read-card.ts'
import { usedApps } from './own-record.ts'
import { tagsOf } from './tags.ts'

/** See Cards.siblingOf(). */
export function siblingOf(
  app: string,
  sig: Uint8Array,
  { records, reader, engine }: { readonly records: Records; readonly reader: CardReader; readonly engine: Engine },
): string | null {
  const used = usedApps(records)
  if (used === null) return null
  const { record, now } = used
  const card = knownCards(record.personaId, records, reader).cards.get(app)
  const tag = card?.devices.find((each) => equalBytes(each.sig, sig))?.tag
  if (tag === undefined) return null
  const { devices, root } = now.persona
  const found = devices.find(({ key }) => tagsOf(key, record.reads, root, engine).has(formatHex(tag)))
  return found?.key ?? null
}

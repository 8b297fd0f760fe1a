/** People whose tables are announced, and who show short statuses: signed like a daemon would, without one. */
import { signForwards, signItems, type AnnounceDraft } from '../../src/core/announce/items.ts'
import { formatRead, readSettings } from '../../src/core/announce/settings.ts'
import { formatShort, shortOf } from '../../src/core/announce/short.ts'
import type { SignedValue } from '../../src/core/announce/signed-value.ts'
import { decodeVerified, type VerifiedBlob } from '../../src/core/verify.ts'
import type { SharedDht } from './announcing.ts'
import { engine, type Person, type Table, type TableOptions } from './person.ts'
import type { Device } from '../../src/core/table.ts'

const READ = new Uint8Array(16).fill(7)
/** Another `read`, as after a reread. */
export const OTHER_READ: Uint8Array = new Uint8Array(16).fill(9)

/** A table that announces. */
export function announcedTable(
  who: Person,
  devices: readonly (string | Device)[],
  options: TableOptions & { readonly read?: Uint8Array } = {},
): Table {
  const { read = READ, ...rest } = options
  return who.table(devices, {
    document: [
      ['read', formatRead(read)],
      ['announce', 'contacts'],
    ],
    ...rest,
  })
}

export function blobOf({ blob }: Table): VerifiedBlob {
  return decodeVerified(blob, engine)
}

/** The short status of a table, with words before it. */
export function shortText(table: Table, words = ''): string {
  const short = formatShort(shortOf(blobOf(table), engine)!, engine)
  return words === '' ? short : `${words} ${short}`
}

function draftOf(table: Table): AnnounceDraft {
  const blob = blobOf(table)
  const read = blob.content.ok ? readSettings(blob.content.document).read : null
  return { blob, read, kind: 'contacts', removedKeys: [] }
}

/** The item that the person's device puts for this table. */
export function itemOf(who: Person, table: Table): SignedValue {
  return signItems(draftOf(table), engine, who.sign).items[0]!
}

/** Puts the item, in the place of any other there. */
export function putTable(dht: SharedDht, who: Person, table: Table): void {
  dht.set(itemOf(who, table))
}

/** Puts the forward from the key of a table to a later table. @param who the person as they were before the rotation */
export function putForward(dht: SharedDht, who: Person, from: Table, to: Table): void {
  const [forward] = signForwards(
    { ...draftOf(to), read: draftOf(from).read },
    blobOf(from).signingKey,
    engine,
    who.sign,
  ).items
  dht.set(forward!)
}

/** A value by the key of somebody else, at a place that they choose, with this table in it. */
export function imitation(who: Person, table: Table): SignedValue {
  const { signingKey } = blobOf(who.sibling().table([]))
  return signForwards({ ...draftOf(table) }, signingKey, engine, who.sign).items[0]!
}

/** The short status that leads to an imitation. */
export function imitatedText(who: Person, table: Table): string {
  const { signingKey } = blobOf(who.sibling().table([]))
  return formatShort({ ...shortOf(blobOf(table), engine)!, signingKey }, engine)
}

/** The table of a persona says this about its cards: the tags of devices, and the stores (docs/card.md, section 6). Pure. */
import { deviceTag } from '../../card/place.ts'
import { readingKey } from '../../core/announce/place.ts'
import { formatRead, readSettings, type AnnounceSettings } from '../../core/announce/settings.ts'
import { formatHex, parseBase64url } from '../../core/encoding/bytes.ts'
import type { Engine } from '../../core/engine.ts'
import { isWebAddress } from '../../core/encoding/web-address.ts'
import { headOf } from '../personas/heads.ts'
import type { OwnRecord } from '../state/own-record.ts'
import type { HeadedPersona, PersonaRecord } from '../state/persona-record.ts'
import { storedBytes } from '../state/records.ts'

const MAX_STORES = 4 // format: a card names at most 4 stores

/** The settings of the table. */
function settingsIn(persona: PersonaRecord, by: { readonly engine: Engine }): AnnounceSettings {
  const content = headOf(persona, by)?.content
  return readSettings(content?.ok === true ? content.document : [])
}

/** The value of `read` in the table of the own persona; null without one. */
export function readOf(persona: PersonaRecord, by: { readonly engine: Engine }): string | null {
  const { read } = settingsIn(persona, by)
  return read === null ? null : formatRead(read)
}

/** The readers of the announcements of a persona; null while there are none. */
export function kindIn(persona: PersonaRecord, by: { readonly engine: Engine }): AnnounceSettings['kind'] {
  return settingsIn(persona, by).kind
}

/** The stores that the table of a persona names. */
export function storesIn(persona: PersonaRecord, by: { readonly engine: Engine }): string[] {
  const addresses = settingsIn(persona, by).at.map((host) => `https://${host}/`)
  return addresses.filter(isWebAddress).slice(0, MAX_STORES)
}

/** The tag of a key under one value of `read`. */
export function tagUnder(read: string | null, root: string, key: string, engine: Engine): Uint8Array {
  const reading = readingKey(storedBytes(root), read === null ? null : parseBase64url(read), engine)
  return deviceTag(reading, storedBytes(key), engine)
}

/** The tags under which a device may stand in a card, as hex: its siblings do not renew theirs at the moment when `read` changes. */
export function tagsOf(device: string, reads: readonly (string | null)[], root: string, engine: Engine): Set<string> {
  return new Set(reads.map((read) => formatHex(tagUnder(read, root, device, engine))))
}

/** The key by which this daemon's tag is made: its first device in the table, or its own `sig` without one. */
export function ownKey({ localDevices }: OwnRecord, { devices }: HeadedPersona, sig: string): string {
  return devices.find(({ key }) => localDevices.includes(key))?.key ?? sig
}

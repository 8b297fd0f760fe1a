/** Which device an entry of an own card is: tags by the reading keys of the own persona (docs/card.md, section 6). Pure. */
import { deviceTag } from '../../card/place.ts'
import { readingKey } from '../../core/announce/place.ts'
import { readSettings, formatRead } from '../../core/announce/settings.ts'
import { formatHex, parseBase64url } from '../../core/encoding/bytes.ts'
import type { Engine } from '../../core/engine.ts'
import { headOf } from '../personas/heads.ts'
import type { OwnRecord } from '../state/own-record.ts'
import type { HeadedPersona } from '../state/persona-record.ts'
import { storedBytes } from '../state/records.ts'

/** The value of `read` in the table of the own persona; null without one. */
export function readOf(persona: HeadedPersona, by: { readonly engine: Engine }): string | null {
  const content = headOf(persona, by)?.content
  const { read } = readSettings(content?.ok === true ? content.document : [])
  return read === null ? null : formatRead(read)
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

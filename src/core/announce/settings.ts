/** The document keys of announcements: `read`, `announce` and `at` (docs/announce.md, section 5). */
import { formatBase64url, parseBase64url } from '../encoding/bytes.ts'
import type { Document, DocumentValue, SettingKey } from '../document.ts'

/** The readers of an announcement: contacts; also those who know a device key of the persona; or everybody. */
export const ANNOUNCE_KINDS = ['contacts', 'devices', 'public'] as const
export type AnnounceKind = (typeof ANNOUNCE_KINDS)[number]

export const READ_BYTES = 16 // format: what friends have and others do not; nobody guesses 2^128
const READ_CHARS = 22 // format: base64url of READ_BYTES
const MAX_STORES = 8 // sanity: every friend asks each of them, and a status message has room for one or two
const MAX_HOST_CHARS = 253 // format: a DNS name
const MIN_OTHER_PORT = 1024 // format: below it are services that must not get requests of friends
const MAX_PORT = 65_535

/** The settings of announcements in a document. A key that is absent or of another form is null or empty. */
export interface AnnounceSettings {
  /** 16 bytes */
  readonly read: Uint8Array | null
  readonly kind: AnnounceKind | null
  /** Hosts of card stores: a DNS name, with a port if it is not 443. */
  readonly at: readonly string[]
}

const LABEL = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?'
// The last label begins with a letter, so that no number passes for a name: "0x7f.1" is an IPv4 address to some programs.
const host = new RegExp(`^(?:${LABEL}\\.)+(?=[a-z])${LABEL}(?::([1-9]\\d{2,4}))?$`)

/** Reads the three keys. A key of another form is ignored, never refused: a newer version may have given it a meaning. */
export function readSettings(document: Document): AnnounceSettings {
  const value = (key: SettingKey): DocumentValue | undefined => {
    const found = document.find(([name]) => name === key)?.[1]
    return found !== undefined && isSetting(key, found) ? found : undefined
  }
  const read = value('read') as string | undefined
  return {
    read: read === undefined ? null : parseBase64url(read),
    kind: (value('announce') as AnnounceKind | undefined) ?? null,
    at: (value('at') as readonly string[] | undefined) ?? [],
  }
}

/** Whether a persona with this document announces: its contacts look it up. */
export function isAnnounced({ read, kind }: AnnounceSettings): boolean {
  return read !== null || kind !== null
}

/** Whether the value has the form that the key asks for. */
export function isSetting(key: SettingKey, value: DocumentValue): boolean {
  switch (key) {
    case 'read':
      return typeof value === 'string' && value.length === READ_CHARS && parseBase64url(value) !== null
    case 'announce':
      return typeof value === 'string' && (ANNOUNCE_KINDS as readonly string[]).includes(value)
    case 'at':
      return typeof value !== 'string' && value.length >= 1 && value.length <= MAX_STORES && value.every(isStore)
  }
}

/** The value of the document key `read`. @param read 16 bytes */
export function formatRead(read: Uint8Array): string {
  return formatBase64url(read)
}

function isStore(text: string): boolean {
  const found = host.exec(text)
  if (found === null || text.length > MAX_HOST_CHARS) return false
  if (found[1] === undefined) return true
  const port = Number(found[1])
  // One text for one place: port 443 is left out.
  return port >= MIN_OTHER_PORT && port <= MAX_PORT
}

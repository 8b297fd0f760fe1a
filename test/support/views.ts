/** Records as the daemon's methods return them, for tests of the texts that people see. */
import type { LinksStatus } from '../../src/ipc/methods/links.ts'
import type { MessagesStatus } from '../../src/ipc/methods/messages.ts'
import type { ChannelsStatus } from '../../src/ipc/methods/channels.ts'
import type { AnnounceStatus } from '../../src/ipc/methods/announce.ts'
import { expect } from 'vitest'
import type { Contact, ContactDevice } from '../../src/ipc/shapes/contact.ts'
import type { OwnTable } from '../../src/ipc/shapes/own.ts'

export const NOW = 1_700_000_000
export const A: string = 'A'.repeat(60) + '1111'
export const B: string = 'B'.repeat(60) + '2222'
export const P: string = 'C'.repeat(60) + '3333'
/** Put into every text that somebody else may choose. */
export const HOSTILE = '\x1b[2Jx\n\u202E'
const CONTROL = /[\p{Cc}\u202E]/u

/** Fails if {@link HOSTILE} is missing from the lines or reaches the terminal unescaped. */
export function expectEscaped(lines: readonly string[]): void {
  expect(lines.join('')).toContain('\\u{1B}[2Jx\\u{A}\\u{202E}')
  for (const line of lines) expect(line).not.toMatch(CONTROL)
}

export function device(changes: Partial<ContactDevice> = {}): ContactDevice {
  return {
    name: 'laptop',
    key: A,
    state: 'confirmed',
    contested: false,
    position: 1,
    seenAtSec: NOW,
    sources: [],
    ...changes,
  }
}

export function contact(changes: Partial<Contact> = {}): Contact {
  return {
    kind: 'persona',
    name: 'Alice',
    aliases: [],
    personaId: P,
    policy: 'auto',
    blocked: false,
    epoch: 0,
    seq: 3,
    timeSec: NOW,
    freshness: 'fresh',
    minEpoch: 0,
    verifiedAtSec: null,
    needsNewerPersona: false,
    pending: false,
    active: A,
    activeUnconfirmed: null,
    devices: [device()],
    claims: [],
    others: [],
    ...changes,
  }
}

export function table(changes: Partial<OwnTable> = {}): OwnTable {
  const devices = [
    { name: 'laptop', key: A },
    { name: 'phone', key: B },
  ]
  return { personaId: P, epoch: 0, seq: 2, timeSec: NOW, named: true, devices, bytesFree: 698, ...changes }
}

/** Announcements of a daemon that does not announce, and has no network. */
export const NOT_ANNOUNCED: AnnounceStatus = {
  kind: null,
  readingKey: false,
  network: false,
  waitsForKey: false,
  items: [],
  devicesLeftOut: 0,
  following: 0,
  lookedUpSec: null,
  shortsUnknown: 0,
  lookups: false,
  bytesToday: 0,
  bytesYesterday: 0,
}

/** Channels of a daemon that has none. */
export const NO_MESSAGES: MessagesStatus = {
  appsLocked: false,
  unread: 0,
  fetching: 0,
  waiting: 0,
  requests: 0,
  proposals: 0,
}
export const NO_LINKS: LinksStatus = { linked: 0, invited: 0, asked: 0, paused: 0, proposals: 0 }
export const NO_CHANNELS: ChannelsStatus = { appsLocked: false, invites: 0, waiting: 0, open: 0, held: 0, broken: 0 }

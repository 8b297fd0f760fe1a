/** Handshakes as they lie on the disk, sealed: an open invite of the host, and an invite that a guest uses. */
import { formatGuest, formatHost, parseGuest, parseHost } from '../../../channel/handshake/state.ts'
import type { GuestState } from '../../../channel/handshake/guest.ts'
import type { HostState } from '../../../channel/handshake/host.ts'
import { Reader, Writer } from '../../../channel/exchange/fields.ts'
import type { OwnPlace } from '../../../channel/carriers/carrier.ts'
import { checkVersion, pairs, readFlags, readPlace, writeFlags, writePlace } from './stored-end.ts'

/** How this side shows itself. */
export interface Shows {
  /** A nickname; null for none. */
  readonly as: string | null
  /** Whether it shows the persona, if there is one. */
  readonly persona: boolean
}

/** An invite that is an offer to a contact sleeps until its owner agrees: nobody can use it before (docs/links.md). `none` is one that was given by hand. */
export type OfferState = 'none' | 'asleep' | 'awake'
// format: stored by place, so names are added at the end alone
const OFFERS: readonly OfferState[] = ['none', 'asleep', 'awake']

/** An open invite. */
export interface StoredInvite {
  /** The store that wrote it: in another one the invite is dead. */
  readonly store: string
  /** The one-time key and its intakes. */
  readonly place: OwnPlace
  /** The local name for the guest. */
  readonly name: string
  readonly shows: Shows
  /** The channel uses the direct way where it can. */
  readonly isDirect: boolean
  readonly offer: OfferState
  /** Where the channel receives, as the caller named it; null for the usual places. */
  readonly over: readonly string[] | null
  readonly cursors: ReadonlyMap<string, string>
  /** Channels of the guests that were answered, by the hash of their M1 in hex. */
  readonly channels: ReadonlyMap<string, string>
  readonly host: HostState
}

/** A guest that waits for the host's answer. Its id is that of the channel. */
export interface StoredJoin {
  readonly store: string
  readonly place: OwnPlace
  readonly cursors: ReadonlyMap<string, string>
  readonly guest: GuestState
  /** M1 shows the persona. */
  readonly showsPersona: boolean
  readonly isDirect: boolean
  /** Why it has ended; null while it waits. */
  readonly ended: string | null
}

const VERSION = 1

export function encodeInvite(invite: StoredInvite): Uint8Array {
  const writer = new Writer()
  writer.u8(VERSION)
  writer.texts([invite.store, invite.name])
  writePlace(writer, invite.place)
  writer.optional(invite.shows.as, (as) => writer.texts([as]))
  const flags = { showsPersona: invite.shows.persona, isDirect: invite.isDirect }
  writeFlags(writer, flags, OFFERS.indexOf(invite.offer))
  writer.optional(invite.over, (over) => writer.texts(over))
  writer.texts([...invite.cursors].flat())
  writer.texts([...invite.channels].flat())
  writer.bytes(formatHost(invite.host))
  return writer.whole()
}

export function decodeInvite(bytes: Uint8Array): StoredInvite {
  const reader = begin(bytes)
  const [store, name] = reader.texts()
  const place = readPlace(reader)
  const as = reader.optional(() => reader.texts()[0]!)
  const { showsPersona, isDirect, more } = readFlags(reader)
  const offer = OFFERS[more] ?? 'asleep'
  const shows = { as, persona: showsPersona }
  const over = reader.optional(() => reader.texts())
  const [cursors, channels] = [pairs(reader.texts()), pairs(reader.texts())]
  const host = parseHost(reader.bytes())
  reader.end()
  return { store: store!, name: name!, place, shows, isDirect, offer, over, cursors, channels, host }
}

export function encodeJoin(join: StoredJoin): Uint8Array {
  const writer = new Writer()
  writer.u8(VERSION)
  writer.texts([join.store])
  writePlace(writer, join.place)
  writer.texts([...join.cursors].flat())
  writer.optional(join.ended, (reason) => writer.texts([reason]))
  writeFlags(writer, join)
  writer.bytes(formatGuest(join.guest))
  return writer.whole()
}

export function decodeJoin(bytes: Uint8Array): StoredJoin {
  const reader = begin(bytes)
  const [store] = reader.texts()
  const place = readPlace(reader)
  const cursors = pairs(reader.texts())
  const ended = reader.optional(() => reader.texts()[0]!)
  const { showsPersona, isDirect } = readFlags(reader)
  const guest = parseGuest(reader.bytes())
  reader.end()
  return { store: store!, place, cursors, ended, showsPersona, isDirect, guest }
}

function begin(bytes: Uint8Array): Reader {
  const reader = new Reader(bytes, 0)
  checkVersion(reader, VERSION)
  return reader
}

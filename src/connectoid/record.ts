/** The record that a page keeps of one peer, as a value, and as bytes for the disk. Frames and contents are records beside it. */
import type { GuestState } from '../channel/handshake/guest.ts'
import type { HostState } from '../channel/handshake/host.ts'
import { formatGuest, formatHost, parseGuest, parseHost } from '../channel/handshake/state.ts'
import type { Place } from '../channel/carriers/carrier.ts'
import type { Channel } from '../channel/exchange/channel.ts'
import { formatChannel, parseChannel, type ChannelRecords } from '../channel/exchange/state.ts'
import { formatConnectoids, parseConnectoids } from '../channel/invite/address.ts'
import { decodeUtf8, encodeUtf8, formatBase64url, parseBase64url } from '../core/encoding/bytes.ts'
import type { BoxKeyPair } from '../seal/key-pair.ts'

/** A place of a page: the secret of its pair can be used here, and read nowhere. */
export interface PagePlace extends Place {
  readonly secret: BoxKeyPair
}

/** The plain part of a record. */
interface Facts {
  readonly name: string
  readonly madeMs: number
  /** The hash I of the invite, base64url: one link makes one peer. */
  readonly link: string
  /** This page has made the link. */
  readonly isOwnLink: boolean
  /** The id of the peer that is unshared once this one is connected. */
  readonly replaces: string | null
  readonly ownName: string | null
  /** PersonaID in upper-case hex. */
  readonly persona: string | null
  readonly isVerified: boolean
  /** The box of the own link is closed to further guests. */
  readonly isLinkClosed: boolean
  /** A second guest came with the link. */
  readonly isUsedTwice: boolean
  readonly lastHeardMs: number | null
  /** The page has taken the contents of the peer up to this number. */
  readonly taken: number
  /** How far each own intake was read, by its connectoid value. */
  readonly cursors: Readonly<Record<string, string>>
  /** Why the handshake has ended without a channel. */
  readonly ended: 'EXPIRED' | 'MISBOUND' | null
  /** The peer has retired its intakes without a word. */
  readonly isGone: boolean
  /** The user has unshared: only last frames are left to post, and boxes to retire. */
  readonly isUnshared: boolean
}

export interface PeerRecord extends Facts {
  /** Until the link ends: later guests are answered. */
  readonly host: HostState | null
  /** Until the host has answered. */
  readonly guest: GuestState | null
  readonly channel: Channel | null
  /** The place of the own link. */
  readonly invitePlace: PagePlace | null
  readonly current: PagePlace | null
  /** During a move. */
  readonly next: PagePlace | null
  /** Places whose boxes are to be retired. */
  readonly left: readonly PagePlace[]
}

const VERSION = 1

export function newRecord(facts: Pick<Facts, 'name' | 'madeMs' | 'link' | 'isOwnLink' | 'replaces'>): PeerRecord {
  return {
    ...facts,
    ownName: null,
    persona: null,
    isVerified: false,
    isLinkClosed: false,
    isUsedTwice: false,
    lastHeardMs: null,
    taken: 0,
    cursors: {},
    ended: null,
    isGone: false,
    isUnshared: false,
    host: null,
    guest: null,
    channel: null,
    invitePlace: null,
    current: null,
    next: null,
    left: [],
  }
}

export function placesOf({ invitePlace, current, next, left }: PeerRecord): PagePlace[] {
  return [invitePlace, current, next, ...left].filter((place) => place !== null)
}

/** Writes a record. It holds secrets, and the disk seals it. */
export function formatRecord(record: PeerRecord): Uint8Array {
  const { host, guest, channel, invitePlace, current, next, left, ...facts } = record
  const state = (bytes: Uint8Array | null): string | null => (bytes === null ? null : formatBase64url(bytes))
  const place = (each: PagePlace | null): readonly string[] | null => each && formatConnectoids(each.address)
  return encodeUtf8(
    JSON.stringify({
      v: VERSION,
      facts,
      host: state(host && formatHost(host)),
      guest: state(guest && formatGuest(guest)),
      channel: state(channel && formatChannel(channel)),
      places: [invitePlace, current, next].map(place),
      left: left.map(place),
    }),
  )
}

interface Stored {
  readonly v: number
  readonly facts: Facts
  readonly host: string | null
  readonly guest: string | null
  readonly channel: string | null
  readonly places: readonly (readonly string[] | null)[]
  readonly left: readonly (readonly string[])[]
}

/** @param pairs by the key as base64url @throws for a record that {@link formatRecord} did not write */
export function parseRecord(
  bytes: Uint8Array,
  pairs: ReadonlyMap<string, BoxKeyPair>,
  records: ChannelRecords,
): PeerRecord {
  const { v, facts, host, guest, channel, places, left } = JSON.parse(decodeUtf8(bytes)!) as Stored
  if (v !== VERSION) throw new RangeError(`the record of a peer has the version ${v}`)
  const state = <Value>(text: string | null, parse: (read: Uint8Array) => Value): Value | null =>
    text === null ? null : parse(parseBase64url(text)!)
  const placeOf = (texts: readonly string[]): PagePlace => {
    const address = parseConnectoids(texts)
    const secret = pairs.get(formatBase64url(address.pub))
    if (secret === undefined) throw new RangeError('the key pair of a place is gone')
    return { address, secret }
  }
  const [invitePlace, current, next] = places.map((each) => each && placeOf(each))
  return {
    ...facts,
    host: state(host, parseHost),
    guest: state(guest, parseGuest),
    channel: state(channel, (read) => parseChannel(read, records)),
    invitePlace: invitePlace ?? null,
    current: current ?? null,
    next: next ?? null,
    left: left.map(placeOf),
  }
}

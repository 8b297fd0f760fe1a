/** An end of a channel as it lies on the disk, sealed: its keys, its places, and how far its carriers and its app have come. */
import { ChannelError } from '../../../channel/exchange/errors.ts'
import { formatConnectoids, parseConnectoids, type Address } from '../../../channel/invite/address.ts'
import { Reader, Writer } from '../../../channel/exchange/fields.ts'
import type { OwnPlace } from '../../../channel/carriers/carrier.ts'

/** Why an end is held: its peer lost the secret of the invite, is not listed by the newest card, or is blocked by the owner. */
export type HeldBecause = 'candidate' | 'card' | 'blocked'
// format: stored by place, so names are added at the end alone
const HELD: readonly HeldBecause[] = ['candidate', 'card', 'blocked']

/** The places of an end. */
export interface EndPlaces {
  /** The invite's own place: M2 goes out from there. Null at the guest, and once the guest has shown itself. */
  readonly greeting: OwnPlace | null
  readonly current: OwnPlace
  /** During a move. */
  readonly next: OwnPlace | null
}

/** A place that the end has left. */
export interface LeftPlace {
  readonly place: OwnPlace
  readonly atSec: number
  /** Its intakes are closed to senders. */
  readonly isRetired: boolean
}

export interface StoredEnd {
  /** The store that wrote it (PlaceRecord.store). In another store it is a copy, and breaks. */
  readonly store: string
  readonly places: EndPlaces
  readonly left: readonly LeftPlace[]
  /** How far each own intake was processed, by its connectoid value. */
  readonly cursors: ReadonlyMap<string, string>
  /** The app has dealt with the contents of the peer up to this number. */
  readonly ackedIn: number
  readonly lastReceivedSec: number | null
  readonly lastDeliveredSec: number | null
  readonly heldBecause: HeldBecause | null
  /** Since when a card does not list an end. */
  readonly heldSinceSec: number | null
  /** The peer has retired its intakes without a word, or the handshake has ended without an answer. */
  readonly isGone: boolean
  /** This end has shown the persona of its owner: it sends its new cards. */
  readonly showsPersona: boolean
  /** It uses the direct way where it can. */
  readonly isDirect: boolean
  /** The last ids that the app gave to contents, and their numbers. */
  readonly sentKeys: ReadonlyMap<string, number>
  /** The bytes of src/channel/exchange/state.ts. */
  readonly channel: Uint8Array
}

const VERSION = 1

export function encodeEnd(end: StoredEnd): Uint8Array {
  const writer = new Writer()
  writer.u8(VERSION)
  writer.texts([end.store])
  writer.optional(end.places.greeting, (place) => writePlace(writer, place))
  writePlace(writer, end.places.current)
  writer.optional(end.places.next, (place) => writePlace(writer, place))
  writer.list(end.left, ({ place, atSec, isRetired }) => {
    writePlace(writer, place)
    writer.numbers([atSec, isRetired ? 1 : 0])
  })
  writer.texts([...end.cursors].flat())
  writer.number(end.ackedIn)
  for (const sec of [end.lastReceivedSec, end.lastDeliveredSec, end.heldSinceSec])
    writer.optional(sec, (value) => writer.number(value))
  writer.optional(end.heldBecause, (because) => writer.u8(HELD.indexOf(because)))
  writer.u8(end.isGone ? 1 : 0)
  writeFlags(writer, end)
  writer.texts([...end.sentKeys.keys()])
  writer.numbers([...end.sentKeys.values()])
  writer.bytes(end.channel)
  return writer.whole()
}

/** @throws {ChannelError} STATE_VERSION, and any error for bytes that {@link encodeEnd} did not write */
export function decodeEnd(bytes: Uint8Array): StoredEnd {
  const reader = new Reader(bytes, 0)
  checkVersion(reader, VERSION)
  const [store] = reader.texts()
  const places: EndPlaces = {
    greeting: reader.optional(() => readPlace(reader)),
    current: readPlace(reader),
    next: reader.optional(() => readPlace(reader)),
  }
  const left = reader.list((): LeftPlace => {
    const place = readPlace(reader)
    const [atSec, isRetired] = reader.numbers() as [number, number]
    return { place, atSec, isRetired: isRetired === 1 }
  })
  const cursors = pairs(reader.texts())
  const ackedIn = reader.number()
  const sec = (): number | null => reader.optional(() => reader.number())
  const [lastReceivedSec, lastDeliveredSec, heldSinceSec] = [sec(), sec(), sec()]
  const heldBecause = reader.optional(() => reader.oneOf(HELD))
  const isGone = reader.u8() === 1
  const { showsPersona, isDirect } = readFlags(reader)
  const [keys, numbers] = [reader.texts(), reader.numbers()]
  const sentKeys = new Map(keys.map((key, i) => [key, numbers[i]!]))
  const channel = reader.bytes()
  reader.end()
  const times = { lastReceivedSec, lastDeliveredSec, heldSinceSec }
  return {
    store: store!,
    places,
    left,
    cursors,
    ackedIn,
    ...times,
    heldBecause,
    isGone,
    showsPersona,
    isDirect,
    sentKeys,
    channel,
  }
}

/** Two choices of the owner in one byte, and the number of a further one. A record of an older version has the first alone. */
export function writeFlags(writer: Writer, flags: Pick<StoredEnd, 'showsPersona' | 'isDirect'>, more = 0): void {
  writer.u8((flags.showsPersona ? 1 : 0) + (flags.isDirect ? 2 : 0) + 4 * more)
}

export function readFlags(reader: Reader): Pick<StoredEnd, 'showsPersona' | 'isDirect'> & { readonly more: number } {
  const flags = reader.u8()
  return { showsPersona: (flags & 1) === 1, isDirect: (flags & 2) === 2, more: flags >> 2 }
}

/** @throws {ChannelError} STATE_VERSION */
export function checkVersion(reader: Reader, known: number): void {
  const version = reader.u8()
  if (version === known) return
  throw new ChannelError(
    'STATE_VERSION',
    `this program does not know version ${version} of a stored record; install a newer one`,
  )
}

/** The texts of addresses that were written: each turn of an end writes its places again. */
const TEXTS = new WeakMap<Address, readonly string[]>()

export function writePlace(writer: Writer, { address, secret }: OwnPlace): void {
  const texts = TEXTS.get(address) ?? formatConnectoids(address)
  TEXTS.set(address, texts)
  writer.texts(texts)
  writer.bytes(secret)
}

export function readPlace(reader: Reader): OwnPlace {
  const address = parseConnectoids(reader.texts())
  return { address, secret: reader.bytes() }
}

/** A map of texts that were written one after another. */
export function pairs(texts: readonly string[]): Map<string, string> {
  return new Map(Array.from({ length: texts.length / 2 }, (_, i) => [texts[2 * i]!, texts[2 * i + 1]!]))
}

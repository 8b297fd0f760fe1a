/** Takes messages of apps: seals each, and has it on disk before the app hears of its number (docs/messages.md, sections 2 and 3). */
import type { CardEntry } from '../../../card/card.ts'
import { concatBytes, encodeUtf8, formatBase64url, formatHex, parseHex } from '../../../core/encoding/bytes.ts'
import { sealObject, type SealedObject } from '../../../message/seal-object.ts'
import { ID_BYTES, type MessageKind } from '../../../message/header.ts'
import { Quota, type Rate } from '../../../process/quota.ts'
import { Serial } from '../../../process/serial.ts'
import type { AppDevice } from '../../cards/cards.ts'
import { readPiece, type ContentParams, type Upload } from '../../wing/pieces.ts'
import { badForm, MessagesError } from '../records/errors.ts'
import { inChange, onDisk, type MessagesMeans } from '../records/means.ts'
import { changeCounts, countsOf } from '../records/counts.ts'
import { numbered } from '../../sealed/numbered.ts'
import { hashed } from '../../sealed/hashed.ts'
import { OBJECT_PART, PEER, SENT, SENT_ID, SENT_KEY, type SealedTo, type StoredSent } from '../records/kinds.ts'
import type { Queue } from '../tasks/queue.ts'
import { addresseeOf, senderFor, type Addressee } from './addressee.ts'
import { dropPieces, keepPiece, piecesOf } from './uploads.ts'

const RATE: Rate = { burst: 60, perSec: 1 } // format: as many as a relay takes of a sender (docs/inbox.md, section 6)
const MAX_WAITING = 1000 // sanity: messages of an app that no store has; each is a job in memory
const MAX_WAITING_BYTES: number = 64 << 20 // sanity: three of the largest
export const SENT_LIFE_SEC: number = 30 * 86_400 // format: an object lives no longer
const COMMIT_BYTES: number = 1 << 20 // sanity: parts of an object in one commit, in some milliseconds, while other changes wait

export interface PutWishes extends ContentParams {
  readonly to: string
}

interface Outgoing {
  readonly app: string
  readonly kind: MessageKind
  readonly key: string | null
  readonly device: AppDevice
  readonly addressee: Addressee
  readonly content: Content
}

/** Bytes that can be read again. */
interface Content {
  readonly bytes: number
  readonly parts: () => AsyncIterable<Uint8Array>
  readonly upload: Upload | null
}

export class Sender {
  readonly #means: MessagesMeans
  readonly #queue: Queue
  /** Messages of an app are numbered one after another. */
  readonly #turns = new Map<string, Serial>()
  readonly #quota: Quota

  constructor(means: MessagesMeans, queue: Queue) {
    this.#means = means
    this.#queue = queue
    this.#quota = new Quota(RATE, () => means.clock.nowMs() / 1000)
  }

  /**
   * Takes a message, or a piece of one.
   * @returns its number; null while pieces are missing
   * @throws {MessagesError} @throws those of Cards.device() @throws {SealError} for a key of the recipient's card that nothing can be sealed to
   */
  async put(app: string, wishes: PutWishes): Promise<number | null> {
    const { bytes, upload } = readPiece(wishes, badForm)
    const key = upload?.name ?? wishes.key ?? null
    const isLast = upload === null || upload.offset + bytes.length === upload.total
    const sentBefore = this.#numberOf(app, key)
    if (sentBefore !== null) return sentBefore
    this.#checkRoom(app, upload)
    // Somebody's store may be slow, so the turn of the app comes after it. A message that cannot go is refused before its pieces come.
    const means = this.#means
    const device = await senderFor(app, means)
    const addressee = await addresseeOf(wishes.to, app, means)
    return await this.#turnOf(app).run(async () => {
      const known = this.#numberOf(app, key)
      if (known !== null) return known
      if (upload !== null) await keepPiece(app, upload, bytes, means)
      if (!isLast) return null
      const content = upload === null ? wholeOf(bytes) : piecesAsContent(app, upload, means)
      return await this.#send({ app, kind: 'message', key, device, addressee, content })
    })
  }

  /**
   * Sends an invite, which the daemon of the recipient reads.
   * @throws as {@link put}
   */
  async invite(app: string, persona: string, invite: string): Promise<void> {
    const means = this.#means
    const device = await senderFor(app, means)
    const addressee = await addresseeOf(persona, app, means)
    const content = wholeOf(encodeUtf8(invite))
    await this.#turnOf(app).run(
      async () => await this.#send({ app, kind: 'invite', key: null, device, addressee, content }),
    )
  }

  /** Counts a call of an app that is not the owner. @throws {MessagesError} MESSAGES_FULL */
  count(app: string): void {
    if (!this.#quota.take(app))
      throw new MessagesError('MESSAGES_FULL', `${app} sends too often`, 'send it again in a second', { app })
  }

  #turnOf(app: string): Serial {
    const turn = this.#turns.get(app) ?? new Serial()
    this.#turns.set(app, turn)
    return turn
  }

  /** The number of a message that the app sent with this key before. */
  #numberOf(app: string, key: string | null): number | null {
    if (key === null) return null
    return onDisk(this.#means, SENT_KEY).get(hashed(app, key, this.#means.keeper.engine)) ?? null
  }

  /** A piece that is not the first belongs to a message that was counted. @throws {MessagesError} MESSAGES_FULL */
  #checkRoom(app: string, upload: Upload | null): void {
    if (upload !== null && upload.offset > 0) return
    const waiting = this.#queue.count('store', app)
    const isFull = waiting.jobs >= MAX_WAITING || (waiting.jobs > 0 && waiting.bytes >= MAX_WAITING_BYTES)
    if (isFull)
      throw new MessagesError(
        'MESSAGES_FULL',
        `${waiting.jobs} messages of ${app} wait for a store`,
        'send it again when the store has taken some',
        { app },
      )
  }

  async #send({ app, kind, key, device, addressee, content }: Outgoing): Promise<number> {
    const means = this.#means
    const number = countsOf(app, means).sent + 1
    const id = means.keeper.engine.randomBytes(ID_BYTES)
    const parts = new ObjectParts(app, number, means)
    const sealed = await this.#seal({ app, id, kind, content, device, addressee, parts })
    const sent: StoredSent = {
      to: addressee.to,
      by: { persona: device.personaId, device: formatHex(device.deviceKey) },
      key,
      id: formatBase64url(id),
      kind,
      state: 'queued',
      reason: null,
      sentSec: means.keeper.nowSec,
      bytes: content.bytes,
      objectBytes: sealed.lengthBytes,
      hash: formatBase64url(sealed.hash),
      devices: sealedTo(device, addressee),
      receipts: [],
      store: null,
    }
    await means.keeper.change(() => {
      parts.stageRest()
      if (content.upload !== null) dropPieces(app, content.upload, means)
      this.#stage(app, number, sent)
    })
    return number
  }

  async #seal(made: {
    readonly app: string
    readonly id: Uint8Array
    readonly kind: MessageKind
    readonly content: Content
    readonly device: AppDevice
    readonly addressee: Addressee
    readonly parts: ObjectParts
  }): Promise<SealedObject> {
    const { app, id, kind, content, device, addressee, parts } = made
    const { engine, nowSec } = this.#means.keeper
    const outgoing = {
      id,
      kind,
      count: (onDisk(this.#means, PEER).get(hashed(app, addressee.to, engine))?.sent ?? 0) + 1,
      from: parseHex(device.personaId)!,
      device: device.deviceKey,
      to: parseHex(addressee.to)!,
      app,
      issuedAtSec: nowSec,
      toKeys: addressee.card.devices.map(({ enc }) => enc),
      ownKeys: othersOf(device).map(({ enc }) => enc),
    }
    const sign = (message: Uint8Array): Uint8Array => device.sign(message)
    return await sealObject(outgoing, content.parts, async (part) => await parts.take(part), { engine, sign })
  }

  /** Inside of a change. */
  #stage(app: string, number: number, sent: StoredSent): void {
    const means = this.#means
    const { engine, nowSec } = means.keeper
    inChange(means, SENT).put(numbered(app, number), sent)
    inChange(means, SENT_ID).put(hashed(app, sent.id, engine), number)
    if (sent.key !== null) inChange(means, SENT_KEY).put(hashed(app, sent.key, engine), number)
    const peers = inChange(means, PEER)
    const peerId = hashed(app, sent.to, engine)
    const peer = peers.get(peerId) ?? { sent: 0, heard: {} }
    peers.put(peerId, { ...peer, sent: peer.sent + 1 })
    changeCounts(app, () => ({ sent: number }), means)
    this.#queue.add(app, { do: 'store', sent: number, bytes: sent.objectBytes }, nowSec + SENT_LIFE_SEC)
  }
}

/** The other devices of the sender. */
export function othersOf({ card, deviceKey }: Pick<AppDevice, 'card' | 'deviceKey'>): AppDevice['card']['devices'] {
  const own = formatHex(deviceKey)
  return card.devices.filter(({ sig }) => formatHex(sig) !== own)
}

function sealedTo(device: AppDevice, { card }: Addressee): SealedTo[] {
  return [
    ...card.devices.map((entry) => sealedToEntry(entry, false)),
    ...othersOf(device).map((entry) => sealedToEntry(entry, true)),
  ]
}

function sealedToEntry({ sig, enc }: CardEntry, isOwn: boolean): SealedTo {
  return { sig: formatHex(sig), enc: formatHex(enc), isOwn }
}

function piecesAsContent(app: string, upload: Upload, means: MessagesMeans): Content {
  return { bytes: upload.total, parts: () => piecesOf(app, upload, means), upload }
}

function wholeOf(bytes: Uint8Array): Content {
  // eslint-disable-next-line @typescript-eslint/require-await
  const parts = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
    yield bytes
  }
  return { bytes: bytes.length, parts, upload: null }
}

/** The parts of an object on their way to the disk. No more than a commit of them is in memory. */
class ObjectParts {
  readonly #app: string
  readonly #number: number
  readonly #means: MessagesMeans
  #parts: Uint8Array[] = []
  #bytes = 0
  #offset = 0

  constructor(app: string, number: number, means: MessagesMeans) {
    this.#app = app
    this.#number = number
    this.#means = means
  }

  async take(part: Uint8Array): Promise<void> {
    this.#parts.push(part)
    this.#bytes += part.length
    if (this.#bytes >= COMMIT_BYTES) await this.#means.keeper.change(() => this.stageRest())
  }

  /** Inside of a change. */
  stageRest(): void {
    for (const piece of cut(concatBytes(...this.#parts))) {
      inChange(this.#means, OBJECT_PART).put(numbered(this.#app, this.#number, this.#offset), piece)
      this.#offset += piece.length
    }
    this.#parts = []
    this.#bytes = 0
  }
}

const PART_BYTES: number = 192 << 10 // sanity: below the greatest sealed record

function cut(bytes: Uint8Array): Uint8Array[] {
  return Array.from({ length: Math.ceil(bytes.length / PART_BYTES) }, (_, i) =>
    bytes.subarray(i * PART_BYTES, (i + 1) * PART_BYTES),
  )
}

/** Objects at a relay: who may keep one, and how its record and its file come and go together (docs/relay.md, "Objects"). */
import { formatHex, parseBase64url } from '../../core/encoding/bytes.ts'
import type { Sha256 } from '../../core/engine.ts'
import { DurableError } from '../../durable/file.ts'
import type { RelayLimits } from '../../relay/limits.ts'
import type { ObjectTarget } from '../../relay/paths/object-path.ts'
import type { DeviceRefusal, Devices, KnownDevice } from '../cards/devices.ts'
import { StoreError } from '../../store/errors.ts'
import { chargeAddress } from '../store/charge-address.ts'
import { objectId, type ObjectPlace } from '../store/object-store.ts'
import type { RelayStore } from '../store/relay-store.ts'
import { BodyError, measure, type BodyErrorCode } from './measured.ts'
import { ObjectFileError, type ByteRange, type ObjectBytes } from './object-bytes.ts'
import type {
  Busy,
  DeviceCall,
  FindObject,
  FoundObject,
  ObjectCaller,
  ObjectService,
  PutObject,
  ReadObject,
  RemoveObject,
  Upload,
} from './object-service.ts'
import { Transfers } from './transfers.ts'

export interface ObjectsOptions {
  readonly store: Pick<RelayStore, 'objects' | 'spend'>
  readonly files: ObjectBytes
  /** How long another process may still send an object that is coming; 0 where there is no other. */
  readonly comingUs: number
  readonly devices: Devices
  readonly engine: Sha256
  /** The personas who keep objects here by right, whoever put their cards, as upper-case hex. */
  readonly personas: () => readonly string[]
  readonly limits: Pick<RelayLimits, 'object' | 'address'>
  readonly nowUs: () => number
}

interface Sending {
  readonly persona: string
  readonly cut: () => void
  readonly ended: Promise<void>
}

const TRAVELLING_SEC = 10 // sanity: one of the largest objects at 2 MiB/s
/** A body of at most so many bytes goes to the disk while its record does. A longer one waits, since it may be refused. */
const SHORT_BYTES: number = 64 << 10 // sanity: a message without a file; nobody fills the disk with what is refused at once
const SLICE = 256 // objects that are deleted in one commit
const NOTHING = new Uint8Array(0)

const OUTCOMES: Readonly<Record<BodyErrorCode, 'too big' | 'empty' | 'request' | 'gone'>> = {
  BODY_TOO_BIG: 'too big',
  BODY_EMPTY: 'empty',
  BODY_OTHER: 'request',
  BODY_BROKEN: 'gone',
}

export class Objects implements ObjectService {
  readonly #options: ObjectsOptions
  readonly #transfers: Transfers
  /** The objects that are coming, each from before its record until its record is whole or gone. */
  readonly #sending = new Map<string, Sending>()
  /** The objects that are being removed, each from before its record goes until its file is gone. */
  readonly #removing = new Map<string, Promise<unknown>>()

  constructor(options: ObjectsOptions) {
    this.#options = options
    this.#transfers = new Transfers(options.limits.object)
  }

  /** Objects that are sent or fetched at this moment. */
  get transfers(): number {
    return this.#transfers.size
  }

  async put(target: ObjectTarget, upload: Upload, caller: ObjectCaller): Promise<PutObject> {
    const { personas, limits, engine } = this.#options
    const device = await this.#deviceOf(target, { ...upload, method: 'PUT', bodyHash: null }, caller)
    if ('outcome' in device) return device
    if (device.card.isGuest && !personas().includes(device.persona)) return { outcome: 'guest' }
    if ((upload.announcedBytes ?? 0) > limits.object.maxObjectBytes) return { outcome: 'too big' }
    const place = placeOf(target, engine)
    const id = objectId(place)
    if (this.#sending.has(id)) return { outcome: 'coming' }
    const end = this.#transfers.take(caller.address)
    if (end === null) return { outcome: 'busy', retryAfterSec: TRAVELLING_SEC }
    const ended = Promise.withResolvers<void>()
    this.#sending.set(id, { persona: target.persona, cut: upload.cut, ended: ended.promise })
    try {
      return await this.#receive(place, upload, device.bodyHash)
    } finally {
      this.#sending.delete(id)
      ended.resolve()
      end()
    }
  }

  async find(target: ObjectTarget, { address }: ObjectCaller): Promise<FindObject> {
    const { store, engine, nowUs } = this.#options
    const busy = await this.#charge(address)
    if (busy !== null) return busy
    const object = await store.objects.find(placeOf(target, engine), nowUs())
    return object === null ? { outcome: 'none' } : { outcome: 'found', object }
  }

  async read(
    target: ObjectTarget,
    { bytes }: FoundObject,
    range: ByteRange,
    { address }: ObjectCaller,
  ): Promise<ReadObject> {
    const { store, files, engine, nowUs } = this.#options
    const end = this.#transfers.take(address)
    if (end === null) return { outcome: 'busy', retryAfterSec: TRAVELLING_SEC }
    const place = placeOf(target, engine)
    try {
      const stream = await files.read(place, bytes, range)
      stream.once('close', end)
      return { outcome: 'reading', bytes: stream }
    } catch (error) {
      end()
      // Somebody removed it a moment ago.
      if (error instanceof ObjectFileError && (await store.objects.find(place, nowUs())) === null)
        return { outcome: 'none' }
      throw error
    }
  }

  async remove(target: ObjectTarget, call: DeviceCall, caller: ObjectCaller): Promise<RemoveObject> {
    const { store, engine, nowUs } = this.#options
    const request = { ...call, method: 'DELETE', bodyHash: engine.sha256(NOTHING) }
    const device = await this.#deviceOf(target, request, caller)
    if ('outcome' in device) return device
    const place = placeOf(target, engine)
    if ((await store.objects.find(place, nowUs())) === null) return { outcome: 'none' }
    await this.#discard([place])
    return { outcome: 'removed' }
  }

  /**
   * Removes all objects of a persona, those that are coming too.
   * @returns how many
   * @throws {StoreError} STORE_DISK_FULL: some are left
   */
  async forget(persona: string): Promise<number> {
    const sending = [...this.#sending.values()].filter((each) => each.persona === persona)
    for (const { cut } of sending) cut()
    await Promise.all(sending.map(({ ended }) => ended))
    for (let count = 0; ;) {
      const places = await this.#options.store.objects.of(persona, SLICE)
      if (places.length === 0) return count
      await this.#discard(places)
      count += places.length
    }
  }

  /** Removes objects that have lived their time, and records of objects that nobody sends any more. @returns how many; call again while it is `limit` */
  async expire(nowUs: number, limit: number): Promise<number> {
    const { store, comingUs } = this.#options
    const { objects } = store
    const beforeUs = comingUs === 0 ? Infinity : nowUs - comingUs
    const due = await objects.due(nowUs, limit)
    const left = due.length === limit ? [] : await objects.unfinished(limit - due.length, beforeUs)
    const over = [...due, ...left.filter((place) => !this.#sending.has(objectId(place)))]
    try {
      await this.#discard(over)
    } catch (error) {
      // The store looks for room by itself, and this comes again.
      if (error instanceof StoreError && error.code === 'STORE_DISK_FULL') return 0
      throw error
    }
    return over.length
  }

  /** Removes files without a record, as a crash leaves them, until it is stopped. @returns how many */
  async sweep(isStopped: () => boolean = () => false): Promise<number> {
    const { store, files } = this.#options
    let count = 0
    for await (const place of files.places()) {
      if (isStopped()) break
      if ((await store.objects.counts(place)) || this.#sending.has(objectId(place))) continue
      await this.#guard([place], () => files.remove(place))
      count++
    }
    return count
  }

  async #receive(place: ObjectPlace, upload: Upload, hash: Uint8Array): Promise<PutObject> {
    const { store, files, limits, nowUs } = this.#options
    const { maxObjectBytes } = limits.object
    const offered = { ...place, bytes: upload.announcedBytes ?? maxObjectBytes, hash }
    const begun = store.objects.begin(offered, nowUs())
    // A slow body is awaited first. Each await of `begun` below tells of its failure.
    begun.catch(() => {})
    const counted = async (): Promise<void> => {
      if ((await begun).outcome !== 'begun') throw new Error('the object is not counted')
      // The file of an object that was there until a moment ago.
      await this.#removing.get(objectId(place))
    }
    const body = measure(upload.parts, hash, offered.bytes)
    try {
      if (offered.bytes > SHORT_BYTES) await counted()
      await files.write(place, body.parts, counted)
    } catch (error) {
      const refused = await begun
      if (refused.outcome === 'unknown') return { outcome: 'card' }
      if (refused.outcome !== 'begun') return refused
      await store.objects.remove([place])
      if (error instanceof BodyError) return { outcome: OUTCOMES[error.code] }
      if (error instanceof DurableError && error.code === 'DURABLE_DISK_FULL') return { outcome: 'full' }
      throw error
    }
    const finished = await store.objects.finish(place, body.bytes, nowUs())
    if (finished === 'kept') return { outcome: 'kept', hash }
    await this.#discard([place])
    // On a full disk the record may be left until there is room, but not the bytes.
    await files.remove(place)
    return { outcome: finished }
  }

  /** The records first: a crash after that leaves files that {@link sweep} finds. @throws {StoreError} STORE_DISK_FULL: nothing changed */
  async #discard(places: readonly ObjectPlace[]): Promise<void> {
    const { store, files } = this.#options
    await this.#guard(places, async () => {
      await store.objects.remove(places)
      await Promise.all(places.map((place) => files.remove(place)))
    })
  }

  async #guard<Result>(places: readonly ObjectPlace[], work: () => Promise<Result>): Promise<Result> {
    const running = work()
    const over = running.catch(() => {})
    for (const place of places) this.#removing.set(objectId(place), over)
    try {
      return await running
    } finally {
      for (const place of places)
        if (this.#removing.get(objectId(place)) === over) this.#removing.delete(objectId(place))
    }
  }

  async #deviceOf(
    { persona }: ObjectTarget,
    request: DeviceCall & { readonly method: string; readonly bodyHash: Uint8Array | null },
    { address }: ObjectCaller,
  ): Promise<KnownDevice | DeviceRefusal | Busy> {
    const busy = await this.#charge(address)
    if (busy !== null) return busy
    const verdict = await this.#options.devices.judge(request, { own: persona })
    return verdict.outcome === 'good' ? verdict.device : verdict
  }

  async #charge(address: string): Promise<Busy | null> {
    const { store, limits, nowUs } = this.#options
    const retryAfterSec = await chargeAddress(store, address, limits.address, nowUs())
    return retryAfterSec === 0 ? null : { outcome: 'busy', retryAfterSec }
  }
}

function placeOf({ persona, id }: ObjectTarget, engine: Sha256): ObjectPlace {
  return { persona, name: formatHex(engine.sha256(parseBase64url(id)!)) }
}

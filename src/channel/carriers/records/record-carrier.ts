/**
 * The carrier of records: each own place has a ring in a record of its own, which the peer reads, and a meeting place for first messages
 * (docs/channel.md, section 13).
 */
import { equalBytes } from '../../../core/encoding/bytes.ts'
import type { Clock } from '../../../process/pulse.ts'
import type { RecordError } from '../../../record/errors.ts'
import type { RecordEngine } from '../../../record/record-engine.ts'
import type { Address, Intake } from '../../invite/address.ts'
import { BOX_TYPE, dataType, MAX_DATA_BYTES } from '../../ratchet/box-data.ts'
import {
  ownIntakes,
  type Arrival,
  type Carrier,
  type CarrierLimits,
  type Line,
  type OwnIntake,
  type Place,
  type Watch,
  type Watched,
} from '../carrier.ts'
import { CarrierError } from '../errors.ts'
import { OpenRecords } from './open-records.ts'
import { ringTag, type RingEngine } from './own-ring.ts'
import { RETRY_MS, Troubles, withRecords } from './record-failures.ts'
import { RecordWatch } from './record-watch.ts'

export interface RecordCarrierMeans {
  readonly records: RecordEngine
  readonly engine: RingEngine
  readonly clock: Clock
}

export class RecordCarrier implements Carrier {
  readonly name = 'record'
  readonly limits: CarrierLimits
  readonly #means: RecordCarrierMeans
  readonly #open: OpenRecords
  readonly troubles: Troubles = new Troubles()
  /** URLs of peers in whose meeting places nothing of this end lies. */
  readonly #clean = new Set<string>()
  readonly #watches = new Set<RecordWatch>()

  constructor(means: RecordCarrierMeans) {
    this.#means = means
    this.#open = new OpenRecords(means.records, means.engine)
    this.limits = { maxDataBytes: MAX_DATA_BYTES, latency: means.records.limits.latency }
  }

  serves(url: string): boolean {
    return this.#means.records.serves(url)
  }

  async open(_at: string, _pub: Uint8Array, secret: Place['secret']): Promise<Intake> {
    const { address } = await withRecords(async () => await this.#open.make(secret))
    return { url: address, ext: null }
  }

  async send(line: Line, to: Intake, data: Uint8Array): Promise<'left' | 'used'> {
    const { peer } = line
    if (peer === null) throw new RangeError(`line ${line.id} has no peer to send to`)
    if (data.length > this.limits.maxDataBytes)
      throw new CarrierError('DATA_TOO_LARGE', `the data has ${data.length} bytes`, {
        hint: `a record takes at most ${this.limits.maxDataBytes}`,
      })
    if (this.#own(line).length === 0)
      throw new CarrierError('CARRIER_DENIED', 'this end has no record of its own where the peer has one', {
        hint: 'use the invite without the names of other carriers',
      })
    // Whoever sends waits for an answer.
    this.#expect(line)
    return await this.troubles.during(line.id, 'send', async () => {
      const peerRing = await this.#open.peer(to.url, peer.pub)
      const header = await peerRing.header()
      // No reader is woken by what is not there any more, so the sender tells it.
      if (peerRing.lost !== null) this.troubles.note(line.id, peerRing.lost)
      if (header?.isRetired === true) return 'used'
      if (isFirst(data)) await this.#meet(line, to, peer, data)
      else
        for (const { url, place } of this.#own(line)) {
          const ring = await this.#open.own(url, place)
          if (!(await ring.send(data, header))) throw full('the peer has not read what lies in the ring')
        }
      return 'left'
    })
  }

  async receive(line: Line, own: OwnIntake, after: string): Promise<readonly Arrival[]> {
    let lost: RecordError | null = null
    let isBehind = false
    let isOwnLost = this.troubles.wasAway(line.id)
    const arrivals = await this.troubles.during(line.id, 'receive', async () => {
      if (line.peer === null) return await (await this.#open.meeting(own.url, own.place.address.pub)).receive(after)
      const came: Arrival[] = []
      for (const { url } of this.#served(line.peer)) {
        const ring = await this.#open.peer(url, line.peer.pub)
        came.push(...(await ring.receive(after)))
        lost ??= ring.lost
        isBehind ||= ring.isBehind
      }
      // One word for all that came, once nothing more comes.
      if (came.length === 0) isOwnLost = (await this.#ack(line, own, after)) || isOwnLost
      else this.#expect(line)
      return came
    })
    for (const watch of this.#watches) watch.looked(line.id, { isBehind, isOwnLost })
    // Its writer puts it there again, so the line goes on.
    if (lost !== null) this.troubles.note(line.id, lost)
    return arrivals
  }

  async processed(line: Line, own: OwnIntake, cursor: string): Promise<void> {
    await withRecords(async () => await this.#ack(line, own, cursor))
  }

  async settled(line: Line, stillInFlight: readonly Uint8Array[]): Promise<void> {
    await withRecords(async () => {
      for (const { url, place } of this.#own(line)) await (await this.#open.own(url, place)).settle(stillInFlight)
      for (const { url } of line.peer === null ? [] : this.#served(line.peer)) {
        if (this.#clean.has(url)) continue
        const isNeeded = (data: Uint8Array): boolean => stillInFlight.some((other) => equalBytes(other, data))
        const meeting = await this.#open.meeting(url, line.peer!.pub)
        let isClean = true
        for (const guest of this.#tags(line)) isClean = (await meeting.clear(guest, isNeeded)) && isClean
        if (isClean) this.#clean.add(url)
      }
    })
  }

  watch(
    lines: () => readonly Watched[],
    onNews: (watched: Watched) => void,
    signal: AbortSignal,
    onLoss: (lineId: string) => void = () => {},
  ): Watch {
    const { clock } = this.#means
    const serves = (url: string): boolean => this.serves(url)
    const isWoken = this.#isWoken
    const watch = new RecordWatch({ lines, onNews, onLoss, signal, clock, open: this.#open, serves, isWoken })
    this.#watches.add(watch)
    const end = (): void => {
      this.#watches.delete(watch)
      // Rings hold the keys that write them.
      void this.#open.close()
    }
    signal.addEventListener('abort', end, { once: true })
    return watch
  }

  async retire(_line: Line, { url, place }: OwnIntake): Promise<void> {
    await withRecords(async () => await (await this.#open.own(url, place)).retire())
  }

  async forget({ url, place }: OwnIntake): Promise<void> {
    await withRecords(async () => await (await this.#open.own(url, place)).empty())
    await this.#open.forget(url)
  }

  #expect({ id }: Line): void {
    for (const watch of this.#watches) watch.expect(id)
  }

  /** Leaves a first message at the meeting place of an invite. @throws {CarrierError} CARRIER_FULL */
  async #meet(line: Line, { url }: Intake, peer: Address, data: Uint8Array): Promise<void> {
    this.#clean.delete(url)
    const meeting = await this.#open.meeting(url, peer.pub)
    const [guest] = this.#tags(line)
    if (!(await meeting.send(guest!, data))) throw full('other guests have taken all places of the invite')
  }

  /** Whether the network wakes a reader. */
  get #isWoken(): boolean {
    return this.limits.latency !== 'minutes'
  }

  /**
   * Tells the peer how far its ring was read, and hears how far it has read.
   * @returns whether the network has lost the own ring
   */
  async #ack(line: Line, own: OwnIntake, cursor: string): Promise<boolean> {
    let isLost = false
    if (line.peer === null) return isLost
    for (const { url } of this.#served(line.peer)) {
      const peer = await this.#open.peer(url, line.peer.pub)
      const header = peer.last ?? (cursor === '' ? null : await peer.header())
      if (cursor === '' && !header?.acks.length) continue
      const ring = await this.#open.own(own.url, own.place)
      if (header !== null) await ring.renew(header)
      // Where nobody is woken, both rings may be lost and only that of the peer be there again.
      if (!this.#isWoken || peer.lost !== null) isLost = (await ring.isLost(header)) || isLost
      if (cursor === '') continue
      const ack = header && peer.ackOf(cursor, header)
      if (ack) await ring.ack(ack)
      // Whatever has damaged or put back the ring of the peer may have met this one too.
      else await ring.mend(peer.lost !== null)
    }
    return isLost
  }

  /** The intakes of the line's own places at this carrier. */
  #own(line: Line): OwnIntake[] {
    return ownIntakes(line).filter(({ url }) => this.serves(url))
  }

  #served({ where }: Address): Intake[] {
    return where.filter(({ url }) => this.serves(url))
  }

  #tags(line: Line): Uint8Array[] {
    return this.#own(line).map(({ url }) => ringTag(url, this.#means.engine))
  }
}

function isFirst(data: Uint8Array): boolean {
  const type = dataType(data)
  return type === BOX_TYPE.m1 || type === BOX_TYPE.m1WithoutK
}

function full(why: string): CarrierError {
  return new CarrierError('CARRIER_FULL', why, { hint: 'wait until there is room', retryAfterMs: RETRY_MS })
}

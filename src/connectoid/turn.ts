/** One turn of a peer: what is written together, before anything of it is posted or shown. */
import type { Channel, ChannelEvent, Step, Write } from '../channel/exchange/channel.ts'
import type { JsonObject } from '../core/encoding/canonical-json.ts'
import { formatBase64url } from '../core/encoding/bytes.ts'
import type { DiskWrite } from './disk.ts'
import { upTo } from './disk.ts'
import type { PagePlace, PeerRecord } from './record.ts'

/** Data for the intakes of somebody. */
export interface Post {
  readonly to: readonly string[]
  readonly data: readonly Uint8Array[]
}

export class Turn {
  readonly id: string
  readonly nowMs: number
  readonly writes: DiskWrite[] = []
  readonly posts: Post[] = []
  readonly events: ChannelEvent[] = []
  /** Something of the peer came by a relay. */
  isHeard = false
  /** The offer of the direct way in M1. */
  firstOffer: JsonObject | null = null
  record: PeerRecord

  constructor(id: string, record: PeerRecord, nowMs: number) {
    this.id = id
    this.record = record
    this.nowMs = nowMs
  }

  set(more: Partial<PeerRecord>): void {
    this.record = { ...this.record, ...more }
  }

  /** A step of a channel that is there. */
  withChannel(work: (channel: Channel) => Step): void {
    if (this.record.channel !== null) this.step(work(this.record.channel))
  }

  step({ channel, writes, posts, events }: Step): void {
    this.set({ channel })
    for (const write of writes) this.writes.push(diskWriteOf(this.id, write))
    if (posts.length > 0) this.posts.push({ to: channel.peerAt, data: posts })
    this.events.push(...events)
    for (const event of events) this.#note(event)
  }

  /** A pair is written before its place is used. */
  addPair({ address, secret }: PagePlace): void {
    this.writes.push({
      put: ['pair', this.id, formatBase64url(address.pub)],
      pair: secret,
    })
  }

  /** The box of a place has nothing more for this page, and no secret stays. */
  removePair({ address }: PagePlace): void {
    const key = ['pair', this.id, formatBase64url(address.pub)]
    this.writes.push({ remove: [key, key] })
  }

  #note(event: ChannelEvent): void {
    if (event.event === 'retire') this.#retire()
    if (event.event === 'gone' && this.record.channel!.phase === 'open') this.set({ isGone: true })
  }

  /** The channel has left its current place for the next one, or all places for good. */
  #retire(): void {
    const { channel, current, next, left } = this.record
    const all = [current, next].filter((place) => place !== null)
    const isOpen = channel!.phase === 'open' || channel!.phase === 'meeting'
    if (!isOpen) this.set({ current: null, next: null, left: [...left, ...all] })
    else if (next !== null) this.set({ current: next, next: null, left: [...left, current!] })
  }
}

function diskWriteOf(id: string, write: Write): DiskWrite {
  switch (write.write) {
    case 'frame':
      return { put: ['frame', id, write.counter], bytes: write.data }
    case 'framesDone':
      return { remove: upTo('frame', id, write.upTo) }
    case 'early':
      return { put: ['early', id, write.counter], bytes: write.frame }
    case 'earlyDone': {
      const key = ['early', id, write.counter]
      return { remove: [key, key] }
    }
    case 'content':
      return { put: ['out', id, write.number], bytes: write.bytes }
    case 'contentsDone':
      return { remove: upTo('out', id, write.upTo) }
    case 'part':
      return {
        put: ['in', id, write.number, write.offset],
        bytes: write.bytes,
      }
  }
}

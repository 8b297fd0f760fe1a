/** Puts the own items on the DHT, hourly and on each change, and looks at what others put in their places. */
import { judgeItem, type ChainPlace } from '../../core/announce/judge.ts'
import { readingKey } from '../../core/announce/place.ts'
import { readSettings, type AnnounceKind } from '../../core/announce/settings.ts'
import { equalBytes, formatHex, parseBase64url } from '../../core/encoding/bytes.ts'
import { MAX_EPOCH } from '../../core/limits.ts'
import type { VerifiedBlob } from '../../core/verify.ts'
import type { PutReport } from '../../dht/order.ts'
import type { AnnouncedItem } from '../../ipc/methods/announce.ts'
import type { Keeper } from '../keeper/keeper.ts'
import { headOf } from '../personas/heads.ts'
import { OWN } from '../state/own-record.ts'
import { ownOf } from '../state/view.ts'
import type { Dht, Traffic } from './dht.ts'
import { takeFound } from './found.ts'
import { epochOf, placeOf, signedOf, type EpochRecord, type ItemRecord } from './items.ts'
import { isSigned, noteHead, signForward, signHead } from './signing.ts'

/** How putting an item went the last time. */
interface Put {
  readonly seq: string
  readonly atSec: number
  readonly nodes: number | null
  readonly problem: string | null
}

export class OwnAnnouncements {
  readonly #keeper: Keeper
  readonly #dht: Dht | null
  readonly #traffic: Traffic
  readonly #puts = new Map<string, Put>()
  #putting: Promise<void> | null = null
  #again = false

  constructor(keeper: Keeper, dht: Dht | null, traffic: Traffic) {
    this.#keeper = keeper
    this.#dht = dht
    this.#traffic = traffic
    keeper.keys.watchSpent((epoch, publicKey, sign) => this.#forward(epoch, publicKey, sign))
  }

  /** The kind of the announcements of the table on disk; null when it is not announced. */
  get kind(): AnnounceKind | null {
    const head = this.#head()
    return head?.content.ok === true ? readSettings(head.content.document).kind : null
  }

  get hasRead(): boolean {
    const head = this.#head()
    return head?.content.ok === true && readSettings(head.content.document).read !== null
  }

  /** Whether the table on disk has items that still need the signing key, which is locked. */
  get waitsForKey(): boolean {
    return this.#keeper.custody.isLocked && !this.#isSigned()
  }

  /** Signs the items of the head if that is due and the key is there, and puts all of them. */
  async update(): Promise<void> {
    await this.#sign()
    await this.put()
  }

  /** Puts all items once. A call while they are put puts them once more after that. */
  async put(): Promise<void> {
    if (this.#putting !== null) {
      this.#again = true
      return await this.#putting
    }
    this.#putting = this.#putUntilDone()
    try {
      await this.#putting
    } finally {
      this.#putting = null
    }
  }

  /** Each item with how putting it went. */
  items(): AnnouncedItem[] {
    return this.#records().flatMap(({ epoch, items }) =>
      items.map((item) => {
        const put = this.#puts.get(placeOf(item))
        const isThis = put?.seq === item.seq
        const { atSec = null, nodes = null, problem = null } = isThis ? put : {}
        return { epoch, forward: item.isForward, putSec: atSec, nodes, problem }
      }),
    )
  }

  async #putUntilDone(): Promise<void> {
    do {
      this.#again = false
      for (const record of this.#records()) for (const item of record.items) await this.#putItem(record, item)
    } while (this.#again)
  }

  /** Nothing is put while announcements are off. */
  #records(): EpochRecord[] {
    const head = this.#head()
    if (head === null || this.kind === null) return []
    const personaId = formatHex(head.personaId)
    const all = Array.from({ length: MAX_EPOCH + 1 }, (_, epoch) => epochOf(epoch, personaId, this.#keeper.onDisk))
    return all.toReversed()
  }

  async #putItem(record: EpochRecord, item: ItemRecord): Promise<void> {
    if (this.#dht === null) return
    const note = (result: Pick<Put, 'nodes' | 'problem'>): void => {
      this.#puts.set(placeOf(item), { seq: item.seq, atSec: this.#keeper.nowSec, ...result })
    }
    let report: PutReport
    try {
      report = await this.#dht.put(signedOf(item))
    } catch (error) {
      // The next hour tries again.
      return note({ nodes: null, problem: error instanceof Error ? error.message : String(error) })
    }
    note({ nodes: report.nodesHold, problem: null })
    this.#traffic.add(report)
    await this.#takeOthers(record, item, report)
  }

  /** A sibling, or a thief, may have put another item there. */
  async #takeOthers(record: EpochRecord, item: ItemRecord, { values }: PutReport): Promise<void> {
    const place = this.#placeOf(record, item)
    if (place === null) return
    const own = signedOf(item)
    const others = values.filter(({ signed }) => signed.seq !== own.seq || !equalBytes(signed.bencoded, own.bencoded))
    const context = { engine: this.#keeper.engine, deviceKeys: [] }
    const judged = others.map(({ signed }) => ({ signed, place, verdict: judgeItem(signed, place, context) }))
    await takeFound(judged, this.#keeper)
  }

  #placeOf({ epoch, read }: EpochRecord, item: ItemRecord): ChainPlace | null {
    const head = this.#head()
    if (head === null) return null
    const { personaId, root } = head
    const reading = readingKey(root, read === null ? null : parseBase64url(read), this.#keeper.engine)
    return { personaId, root, epoch, signingKey: signedOf(item).publicKey, readingKey: reading }
  }

  #head(): VerifiedBlob | null {
    const found = ownOf(this.#keeper.onDisk)
    return found === null ? null : headOf(found.persona, this.#keeper)
  }

  #isSigned(): boolean {
    const head = this.#head()
    return head === null || isSigned(head, this.#keeper.onDisk)
  }

  async #sign(): Promise<void> {
    const { custody, keys } = this.#keeper
    // In turn with rotations: they move the keys.
    await keys.inTurn(async () => {
      await this.#keeper.changeKeys(() => {
        const { state, engine } = this.#keeper
        const found = ownOf(state.records)
        const head = found === null ? null : headOf(found.persona, this.#keeper)
        if (found === null || head === null) return
        noteHead(head, state)
        // After a sibling's rotation this device cannot sign for the new epoch yet.
        if (custody.publicKey(head.epoch) === null || isSigned(head, state)) return
        signHead(head, found.own, state, engine, custody.signer(head.epoch))
      })
    })
  }

  /** A key that is about to be erased signs the way to the head. Inside of a change. */
  #forward(epoch: number, publicKey: Uint8Array, sign: (message: Uint8Array) => Uint8Array): void {
    const { state, engine } = this.#keeper
    const own = state.records.own.get(OWN)
    const persona = own === undefined ? undefined : state.persona(own.personaId)
    const head = persona === undefined ? null : headOf(persona, this.#keeper)
    if (head === null) return
    // A second rotation may come before anything else notes the epoch of this one.
    noteHead(head, state)
    signForward(epoch, publicKey, head, state, engine, sign)
  }
}

/** Puts the own items on the DHT, hourly and on each change, and looks at what others put in their places. */
import { judgeItem } from '../../core/announce/judge.ts'
import { deviceSlots } from '../../core/announce/item.ts'
import { readSettings, type AnnounceSettings } from '../../core/announce/settings.ts'
import { equalBytes, formatHex } from '../../core/encoding/bytes.ts'
import { MAX_EPOCH } from '../../core/limits.ts'
import type { VerifiedBlob } from '../../core/verify.ts'
import type { PutReport } from '../../dht/order.ts'
import type { AnnouncedItem } from '../../ipc/methods/announce.ts'
import type { Keeper } from '../keeper/keeper.ts'
import { headOf } from '../personas/heads.ts'
import { ownOf } from '../state/view.ts'
import type { Dht, Traffic } from './dht.ts'
import { takeFound } from './found.ts'
import { epochOf, placeOf, signedOf, type EpochRecord, type ItemRecord } from './items.ts'
import { placeIn, tidy } from './kept.ts'
import { isSigned, noteHead, signHead } from './signing.ts'

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
  }

  /** The settings of announcements in the table on disk. */
  get settings(): AnnounceSettings {
    const content = this.#head()?.content
    return readSettings(content?.ok === true ? content.document : [])
  }

  /** Whether the table on disk has items that still need the signing key, which is locked. */
  get waitsForKey(): boolean {
    return this.#keeper.custody.isLocked && !this.#isSigned()
  }

  /** How many devices of the table on disk have no slot in its item of the kind `devices`; 0 for other kinds. */
  get devicesLeftOut(): number {
    const head = this.#head()
    if (head === null || this.settings.kind !== 'devices') return 0
    return Math.max(0, head.deviceKeys.length - deviceSlots(head.bytes.length))
  }

  /** Signs the items of the head if that is due and the key is there, and puts all of them. */
  async update(): Promise<void> {
    const signed = this.#sign()
    // If nothing can be signed now, as on a full disk, the items signed before are put all the same.
    await signed.catch(() => {})
    await this.put()
    await signed
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
    const failed: Promise<void>[] = []
    do {
      this.#again = false
      for (const record of this.#records()) {
        for (const item of record.items) {
          const put = this.#putItem(record, item)
          // The other items are put all the same.
          await put.catch(() => {
            failed.push(put)
          })
        }
      }
    } while (this.#again)
    await Promise.all(failed)
  }

  /** Nothing is put while announcements are off. */
  #records(): EpochRecord[] {
    const head = this.#head()
    if (head === null || !head.content.ok || readSettings(head.content.document).kind === null) return []
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
    note({ nodes: report.nodesHold, problem: report.nodesHold > 0 ? null : whyNowhere(report) })
    this.#traffic.add(report)
    await this.#takeOthers(record, item, report)
  }

  /** A sibling, or a thief, may have put another item there. */
  async #takeOthers(record: EpochRecord, item: ItemRecord, { values }: PutReport): Promise<void> {
    const head = this.#head()
    if (head === null) return
    const place = placeIn(record, item, head, this.#keeper.engine)
    const own = signedOf(item)
    const others = values.filter(({ signed }) => signed.seq !== own.seq || !equalBytes(signed.bencoded, own.bencoded))
    const context = { engine: this.#keeper.engine, deviceKeys: [] }
    const judged = others.map(({ signed }) => ({ signed, place, verdict: judgeItem(signed, place, context) }))
    await takeFound(judged, this.#keeper)
  }

  #head(): VerifiedBlob | null {
    const found = ownOf(this.#keeper.onDisk)
    return found === null ? null : headOf(found.persona, this.#keeper)
  }

  #isSigned(): boolean {
    const head = this.#head()
    return head === null || isSigned(head, this.#keeper.onDisk, this.#keeper.engine)
  }

  async #sign(): Promise<void> {
    const { custody, keys } = this.#keeper
    // In turn with rotations: they move the keys.
    await keys.inTurn(async () => {
      await this.#keeper.changeKeys(() => {
        const { state, engine } = this.#keeper
        const found = ownOf(state.records)
        const head = found === null ? null : headOf(found.persona, this.#keeper)
        if (head === null) tidy(null, state)
        if (found === null || head === null) return
        noteHead(head, state)
        // After a sibling's rotation this device cannot sign for the new epoch yet.
        if (custody.publicKey(head.epoch) === null || isSigned(head, state, engine)) return
        signHead(head, found.own, state, engine, custody.signer(head.epoch))
      })
    })
  }
}

/** The reason why no node keeps an item. */
function whyNowhere({ nodesAnswered, values }: PutReport): string {
  if (nodesAnswered === 0) return 'no node answers'
  return values.length > 0
    ? 'the nodes keep another announcement in its place, which is later by its writer’s clock'
    : 'the nodes answer, and do not keep it'
}

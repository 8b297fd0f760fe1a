/**
 * The relay's store on PostgreSQL. Any number of processes share it, and none keeps anything of a box, a cursor, a limit or a card. Its records and
 * their rules are those of src/relayd/records. A box is locked by its row from the first read to the commit, so its messages become readable in
 * the order of their moments.
 */
import { randomUUID } from 'node:crypto'
import type { CardPlace } from '../../relay/paths/card-place.ts'
import { messageId, parseDueId } from '../records/records.ts'
import type { StoreOptions } from '../records/record-relay-store.ts'
import { Shared } from '../records/shared.ts'
import type { PersonaId } from '../store/persona-id.ts'
import type {
  BoxId,
  BoxListener,
  Bucket,
  CardOutcome,
  HeldCard,
  Message,
  OfferedCard,
  RelayStore,
  SendOutcome,
  StoreStats,
  UsedAnswer,
} from '../store/relay-store.ts'
import { BOX_COST_BYTES, MESSAGE_COST_BYTES } from '../store/rules.ts'
import { accessOf, type Access } from './access.ts'
import type { Database } from './database.ts'
import { News } from './news.ts'
import type { Parts } from './parts.ts'
import { bucketKey, forgetPassing, noteStart, spendTokens, START_KEY } from './passing.ts'
import { inboxKey, PostgresInboxes } from './postgres-inboxes.ts'
import { PostgresObjects } from './postgres-objects.ts'
import { messagesAfter } from './tables.ts'
import { readTotals, selectTotals, TOTALS } from './totals.ts'
import { Turns } from './turns.ts'
import { UsedAnswers } from './used-answers.ts'

const BOX_PREFIX = 'box/'
const INBOX_PREFIX = 'inbox/'

export class PostgresRelayStore implements RelayStore {
  readonly inboxes: PostgresInboxes
  readonly objects: PostgresObjects
  readonly #database: Database
  readonly #options: StoreOptions
  readonly #release: () => Promise<void>
  readonly #news: News
  readonly #answers: UsedAnswers
  readonly #all: readonly (UsedAnswers | Turns)[]
  readonly #access: Access
  /** Turns on buckets, which wait for no disk. */
  readonly #passing: Turns
  readonly #scrub: Shared
  readonly #listeners = new Set<BoxListener>()
  #isClosed = false

  private constructor(database: Database, options: StoreOptions, release: () => Promise<void>) {
    this.#database = database
    this.#options = options
    this.#release = release
    this.#news = new News(database, randomUUID(), (ids) => this.#tell(ids))
    const common = {
      database,
      limits: options.limits,
      newsOf: (ids: readonly string[]) => this.#news.queryOf(ids),
      told: (ids: readonly string[]): void => {
        this.#tell(ids)
        this.#news.wake()
      },
    }
    const looks = new Turns({ ...common, mode: 'look', lanes: 2 })
    const changes = new Turns({ ...common, mode: 'change', lanes: 2 })
    this.#passing = new Turns({ ...common, mode: 'change', lanes: 2 })
    this.#answers = new UsedAnswers(database, options.answerUs, (nowUs) => this.#noteStart(nowUs))
    this.#all = [this.#answers, looks, changes, this.#passing]
    this.#access = accessOf(looks, changes)
    this.inboxes = new PostgresInboxes(this.#access)
    this.objects = new PostgresObjects(this.#access)
    this.#scrub = new Shared(() => this.#vacuum())
  }

  /**
   * Opens the store on a database that has its tables.
   * @param release called after the store is closed
   * @throws {DatabaseError}
   */
  static async open(
    database: Database,
    options: StoreOptions,
    release: () => Promise<void> = () => Promise.resolve(),
  ): Promise<PostgresRelayStore> {
    const store = new PostgresRelayStore(database, options, release)
    await store.#noteStart(options.nowUs)
    await store.#news.open()
    return store
  }

  async send(id: BoxId, data: string, address: string, nowUs: number): Promise<SendOutcome> {
    return await this.#access.change([boxKey(id), TOTALS], ({ boxes }) => boxes.send(id, data, address, nowUs))
  }

  async check(id: BoxId, atUs: number, address: string, nowUs: number): Promise<{ readonly found: boolean } | null> {
    return await this.#access.look([boxKey(id)], ({ boxes }) => boxes.check(id, atUs, address, nowUs))
  }

  async receive(
    id: BoxId,
    answer: UsedAnswer,
    atUs: number,
    limit: number,
    nowUs: number,
  ): Promise<readonly Message[] | null> {
    const keys = [boxKey(id)]
    const likely = [messagesAfter(messageId(id, atUs), limit)]
    const run = ({ boxes }: Parts): Promise<readonly Message[]> => boxes.receive(id, atUs, limit, nowUs)
    // Both at once: a look changes nothing, and nobody gets what it found before the answer is known to be good.
    const [isGood, looked] = await Promise.all([
      this.#answers.use(answer, nowUs),
      this.#access.onlyLook(keys, run, likely),
    ])
    if (!isGood) return null
    return looked === null ? await this.#access.change([...keys, TOTALS], run, likely) : looked.result
  }

  async read(id: BoxId, atUs: number, limit: number, nowUs: number): Promise<readonly Message[]> {
    const likely = [messagesAfter(messageId(id, atUs), limit)]
    return await this.#access.look([boxKey(id)], ({ boxes }) => boxes.read(id, atUs, limit, nowUs), likely)
  }

  async retire(id: BoxId, answer: UsedAnswer, nowUs: number): Promise<'retired' | 'used' | 'full'> {
    if (!(await this.#answers.use(answer, nowUs))) return 'used'
    return await this.#access.change([boxKey(id), TOTALS], ({ boxes }) => boxes.retire(id, nowUs))
  }

  async spend(buckets: readonly Bucket[], nowUs: number): Promise<number> {
    if (buckets.length === 0) return 0
    return await this.#passing.take(buckets.map(bucketKey), ({ snapshot }) => spendTokens(snapshot, buckets, nowUs))
  }

  async expire(nowUs: number, limit: number): Promise<number> {
    await forgetPassing(this.#database, nowUs)
    await this.#news.forget()
    const access = this.#access
    const looks: Promise<void>[] = []
    for (const key of await access.look([], ({ boxes }) => boxes.due(nowUs, limit)))
      looks.push(access.change([boxKey(parseDueId(key).id), TOTALS], ({ boxes }) => boxes.look(key, nowUs)))
    for (const key of await access.look([], ({ cards }) => cards.due(nowUs, limit - looks.length)))
      looks.push(access.change([personaKey(parseDueId(key).id), TOTALS], ({ cards }) => cards.look(key, nowUs)))
    for (const key of await access.look([], ({ inboxes }) => inboxes.due(nowUs, limit - looks.length)))
      looks.push(access.change([inboxKey(parseDueId(key).id), TOTALS], ({ inboxes }) => inboxes.look(key, nowUs)))
    for (const key of await access.look([], ({ inboxes }) => inboxes.dueMarks(nowUs, limit - looks.length)))
      looks.push(access.change([`mark/${parseDueId(key).id}`, TOTALS], ({ inboxes }) => inboxes.lookAtMark(key)))
    await Promise.all(looks)
    return looks.length
  }

  async forget(id: BoxId): Promise<boolean> {
    return await this.#access.change([boxKey(id), TOTALS], ({ boxes }) => boxes.forget(id))
  }

  async putCard(card: OfferedCard, nowUs: number): Promise<CardOutcome> {
    return await this.#access.change([personaKey(card.persona), TOTALS], ({ cards }) => cards.put(card, nowUs))
  }

  async getCard(place: CardPlace, nowUs: number): Promise<string | null> {
    const key = 'at' in place ? `card/${place.at}` : personaKey(place.persona)
    return await this.#access.look([key], async ({ cards }) => cards.get(place, nowUs))
  }

  async cardOf(persona: PersonaId, app: string, nowUs: number): Promise<HeldCard | null> {
    return await this.#access.look([personaKey(persona)], async ({ cards }) => cards.of(persona, app, nowUs))
  }

  async epochOf(persona: PersonaId): Promise<number> {
    return await this.#access.look([personaKey(persona)], async ({ cards }) => cards.epochOf(persona))
  }

  async forgetCards(persona: PersonaId): Promise<number> {
    return await this.#access.change([personaKey(persona), TOTALS], ({ cards }) => cards.forget(persona))
  }

  async scrub(): Promise<void> {
    await this.#scrub.run()
  }

  watch(listener: BoxListener): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  async stats(): Promise<StoreStats> {
    const { rows } = await this.#database.query(selectTotals(false))
    const totals = readTotals(rows[0])
    return { ...totals, isFull: totals.bytes + BOX_COST_BYTES + MESSAGE_COST_BYTES > this.#options.limits.maxDiskBytes }
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    for (const turns of this.#all) await turns.close()
    await this.#news.close()
    await this.#release()
  }

  async #noteStart(nowUs: number): Promise<number> {
    return await this.#passing.take([START_KEY], ({ snapshot }) => noteStart(snapshot, nowUs))
  }

  #tell(ids: readonly string[]): void {
    for (const id of ids) {
      if (id.startsWith(INBOX_PREFIX)) this.inboxes.told(id.slice(INBOX_PREFIX.length))
      else for (const listener of this.#listeners) listener(id.slice(BOX_PREFIX.length), null)
    }
  }

  async #vacuum(): Promise<void> {
    const connection = this.#database.own(false)
    connection.on('error', () => {})
    try {
      await connection.connect()
      for (const table of ['record', 'part']) await connection.query({ text: `VACUUM ${table}` })
    } finally {
      await connection.end().catch(() => {})
    }
  }
}

function boxKey(id: BoxId): string {
  return BOX_PREFIX + id
}

function personaKey(id: PersonaId): string {
  return `persona/${id}`
}

/** The companion, the daemon's own Tox node: creates it, starts and stops it, adds friends (docs/tox.md, The companion). */
import { notice, type Finding } from '../../ipc/shapes/doctor.ts'
import { checkCompanion } from './check.ts'
import { CompanionError } from './errors.ts'
import { formatHex, parseHex } from '../../core/encoding/bytes.ts'
import { freeName } from '../../core/table.ts'
import type { Sighting } from '../../core/consent.ts'
import type { DaemonEvent } from '../../ipc/methods/events.ts'
import type { TableDevice } from '../../ipc/shapes/contact.ts'
import type { ToxPeer, ToxPeers, ToxStatus } from '../../ipc/shapes/tox.ts'
import { formatToxId, parseToxId, parseToxPk } from '../../tox/save/address.ts'
import type { ToxConfig } from './config.ts'
import type { Keeper } from '../keeper/keeper.ts'
import { Bridge } from './bridge.ts'
import { companionToxId, createCompanionKey, readCompanionKey, type CompanionKey } from './key.ts'
import type { ToxNodeOptions } from './node.ts'
import { MAX_PEERS, Peers, type Peer } from './peers.ts'
import { FriendRequests } from './requests.ts'
import type { Log } from '../../process/log.ts'
import { holderOf } from '../state/view.ts'

const TOX_ID_DIGITS = 76

export interface CompanionOptions {
  readonly keeper: Keeper
  readonly config: ToxConfig
  /** The file of the companion's key. */
  readonly keyFile: string
  /** machine-id(5), null where there is none */
  readonly machineId: string | null
  readonly log: Log
  readonly spawn?: ToxNodeOptions['spawn']
  /** For the limits of friends; performance.now() if absent. */
  readonly nowMs?: () => number
}

export class Companion {
  readonly #options: CompanionOptions
  readonly #keeper: Keeper
  readonly #peers: Peers
  readonly #requests: FriendRequests
  readonly #bridge: Bridge
  /** ToxPk of the companion; null before there is one. */
  #key: string | null
  /** The owner has stopped it. */
  #isDown = false
  /** Contacts that have changed since the last look at them. */
  readonly #changed = new Set<string>()

  private constructor(options: CompanionOptions, peers: Peers, key: string | null) {
    const { keeper, config, log, spawn, nowMs } = options
    this.#options = options
    this.#keeper = keeper
    this.#peers = peers
    this.#key = key
    this.#requests = new FriendRequests(keeper, peers)
    this.#bridge = new Bridge({
      keeper,
      config,
      peers,
      requests: this.#requests,
      log,
      readKey: () => this.#readKey(),
      onReady: () => this.#lookAtAll(),
      ...(spawn === undefined ? {} : { spawn }),
      ...(nowMs === undefined ? {} : { nowMs }),
    })
  }

  /** Opens the existing companion. @throws {StoreError} @throws {CryptoError} SEAL_* */
  static async open(options: CompanionOptions): Promise<Companion> {
    const { keeper, keyFile, machineId, config } = options
    const kept = await readCompanionKey(keyFile, machineId, keeper.engine)
    if (kept !== null) keeper.engine.wipe(kept.secretKey)
    const peers = await Peers.open(keeper, config.friends)
    return new Companion(options, peers, kept && formatHex(kept.publicKey))
  }

  /** Starts the companion if the own table lists it. */
  start(): void {
    if (this.#device !== null) this.#bridge.node.start()
  }

  /**
   * Creates the companion if needed, lists it in the own table, and starts it.
   * @throws {KeeperError} NO_PERSONA | LOCKED, and what an edit throws @throws {StoreError}
   */
  async up(name: string | undefined): Promise<ToxStatus> {
    const keeper = this.#keeper
    // Throws before a key is drawn.
    keeper.table()
    if (this.#key === null) {
      const { keyFile, machineId } = this.#options
      const made = await createCompanionKey(keyFile, machineId, keeper.engine)
      keeper.engine.wipe(made.secretKey)
      this.#key = formatHex(made.publicKey)
    }
    const key = this.#key
    // Crash here: the key exists and no table lists it. The next call uses it.
    await keeper.change(() => {
      keeper.own.runsCompanion(key)
      const { devices } = keeper.own.table()
      if (devices.some((device) => device.key === key)) return
      const taken = devices.map((device) => device.name)
      keeper.own.edit({ kind: 'add', key, name: freeName(name ?? 'companion', taken), companion: true }, true)
    })
    this.#isDown = false
    this.#bridge.node.start()
    return this.status()
  }

  async down(): Promise<ToxStatus> {
    this.#isDown = true
    await this.#bridge.node.stop()
    return this.status()
  }

  /** Stops everything for good. */
  async stop(): Promise<void> {
    await this.down()
    await this.#bridge.idle()
  }

  /** Resolves when the work that events caused is done. */
  async idle(): Promise<void> {
    await this.#bridge.idle()
  }

  /**
   * Befriends a device.
   * @param id a Tox ID, which gets a request; or the ToxPk of a device that has the companion as a friend or has asked
   * @returns its ToxPk
   * @throws {ToxError} TOX_BAD_ID | TOX_FRIEND_OWN_KEY @throws {CompanionError} NO_COMPANION | TOO_MANY_PEERS @throws {BlobError} DEVICE_KEY_*
   */
  async add(id: string): Promise<string> {
    if (this.#key === null) throw noCompanion()
    const key = formatHex(parseToxPk(id.toUpperCase()))
    const text = this.#requests.take(key, this.#key)
    if (!this.#peers.all.has(key) && this.#peers.isFull) {
      throw new CompanionError(
        'TOO_MANY_PEERS',
        `the companion already has ${MAX_PEERS} friends`,
        'no further friend can be added',
      )
    }
    const toxId = id.length === TOX_ID_DIGITS ? formatToxId(parseToxId(id)) : null
    const personaId = this.#keeper.onDisk.devices.get(key)?.bound ?? null
    const record = {
      how: text === null ? 'named' : 'request',
      personaId,
      toxId,
      addedAtSec: this.#keeper.nowSec,
    } as const
    await this.#bridge.befriend([{ key, record }])
    if (text !== null) await this.#bridge.observe([{ from: key, text }])
    return key
  }

  /** Notes the change; the work follows later, in turn. */
  onEvent(event: DaemonEvent): void {
    if (event.event === 'own.changed') this.#bridge.inTurn(() => this.#lookAtOwn())
    if (event.event !== 'contact.changed' || event.data.contact.personaId === null) return
    this.#changed.add(event.data.contact.personaId)
    // One task handles all changes until it runs.
    if (this.#changed.size === 1) this.#bridge.inTurn(() => this.#lookAtContacts())
  }

  status(): ToxStatus {
    const { node, connection, dht } = this.#bridge
    const { problem } = node
    return {
      state: this.#key === null ? 'none' : this.#device === null ? 'unlisted' : node.state,
      key: this.#key,
      toxId: this.#key === null ? null : companionToxId(parseHex(this.#key)!, this.#keeper.engine),
      device: this.#device?.name ?? null,
      connection,
      dht,
      counts: {
        peers: this.#peers.all.size,
        online: this.#bridge.online().length,
        requests: this.#requests.pending.length,
      },
      problem: problem && { code: problem.code, message: problem.message },
    }
  }

  /** The companion shows the current table while it runs. No source reports that. */
  sees(key: string): Sighting | null {
    const { ownTable, nowSec } = this.#keeper
    if (key !== this.#key || ownTable === null || this.status().state !== 'running') return null
    const { personaId, epoch, seq } = ownTable
    return { atSec: nowSec, personaId, lists: true, table: { epoch, seq } }
  }

  peers(): ToxPeers {
    const peers = [...this.#peers.all].map(([key, peer]) => this.#viewOf(key, peer))
    return { status: this.status(), peers, requests: this.#requests.pending }
  }

  /** The findings that `status` shows: those of `doctor` that need the owner, and a full list of friends. */
  findings(): Finding[] {
    const status = this.status()
    const isSevere = status.problem !== null || status.state === 'none' || status.state === 'unlisted'
    const findings = isSevere ? checkCompanion(status) : []
    if (this.#peers.isFull)
      findings.push(notice('COMPANION_FULL', `the companion has ${MAX_PEERS} friends and accepts no more`, null))
    return findings
  }

  get #device(): TableDevice | null {
    return this.#keeper.ownTable?.devices.find((device) => device.key === this.#key) ?? null
  }

  async #readKey(): Promise<CompanionKey> {
    const { keyFile, machineId } = this.#options
    const kept = await readCompanionKey(keyFile, machineId, this.#keeper.engine)
    if (kept === null) throw noCompanion()
    return kept
  }

  #viewOf(key: string, { record, left, connection, instant, refused }: Peer): ToxPeer {
    const reader = this.#keeper.reader()
    const { contact, device } = holderOf(key, reader)
    const seenAtSec = connection === 'none' ? (reader.records.devices.get(key)?.seenAtSec ?? null) : this.#keeper.nowSec
    const whose = { contact: contact?.name ?? null, device: device?.name ?? null }
    return { key, how: record.how, ...whose, left, connection, instant, seenAtSec, refused }
  }

  #lookAtAll(): void {
    this.#bridge.inTurn(() => this.#lookAtOwn())
    this.#bridge.inTurn(async () => this.#bridge.befriend(await this.#peers.contacts()))
    this.#bridge.inTurn(async () => this.#bridge.emitLeft())
  }

  async #lookAtOwn(): Promise<void> {
    if (this.#key === null) return
    const { node } = this.#bridge
    if (this.#device === null) {
      // This device or a sibling has removed it from the table: nobody would believe what it shows.
      if (node.state !== 'down') await node.stop()
      return
    }
    if (this.#isDown) return
    node.start()
    await this.#bridge.befriend(this.#peers.siblings(this.#key))
    this.#bridge.emitLeft()
    if (node.state === 'running') await this.#bridge.show()
  }

  async #lookAtContacts(): Promise<void> {
    const changed = [...this.#changed]
    this.#changed.clear()
    for (const personaId of changed) await this.#bridge.befriend(this.#peers.contact(personaId))
    this.#bridge.emitLeft()
    // A persona that this device has left becomes a contact.
    if (this.#device === null) await this.#lookAtOwn()
  }
}

function noCompanion(): CompanionError {
  return new CompanionError('NO_COMPANION', 'there is no companion on this machine yet', 'start it once')
}

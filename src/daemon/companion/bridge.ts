/** Connects the Tox node and the keeper: reports what friends show, and shows them the own table (docs/tox.md, The companion). */
import { Refusal } from '../../errors/refusal.ts'
import { parseHex } from '../../core/encoding/bytes.ts'
import type { ObservationParams } from '../../ipc/shapes/judged.ts'
import type { Connection, ToxStatus } from '../../ipc/shapes/tox.ts'
import { FriendLimits, RequestLimit, type FriendReport } from '../../toxnode/limits.ts'
import { MAX_BOOTSTRAP_NODES, type NodeOptions, type Report } from '../../toxnode/protocol.ts'
import { readBootstrapFile } from './bootstrap-nodes.ts'
import type { ToxConfig } from './config.ts'
import { describeError } from '../../process/describe-error.ts'
import type { Keeper } from '../keeper/keeper.ts'
import { companionNospam, companionToxId, type CompanionKey } from './key.ts'
import { ToxNode, type ToxNodeOptions } from './node.ts'
import type { NewPeer, Peer, Peers } from './peers.ts'
import type { FriendRequests } from './requests.ts'
import { Serial } from '../../process/serial.ts'
import type { Log } from '../../process/log.ts'
import { holderOf } from '../state/view.ts'
import type { NewEvent } from '../state/new-event.ts'

/** The source of everything that the companion sees. */
export const LIVE_SOURCE = 'live'

const MAX_AT_ONCE = 32 // sanity: 32 of the largest records are a megabyte, an eighth of one commit's limit

export interface BridgeOptions {
  readonly keeper: Keeper
  readonly config: ToxConfig
  readonly peers: Peers
  readonly requests: FriendRequests
  readonly log: Log
  /** Reads the key at each start, so that the secret stays in memory only briefly. */
  readonly readKey: () => Promise<CompanionKey>
  /** Called when the node runs and has all its friends. */
  readonly onReady: () => void
  readonly spawn?: ToxNodeOptions['spawn']
  readonly nowMs?: () => number
}

export class Bridge {
  readonly #options: BridgeOptions
  readonly #keeper: Keeper
  readonly #peers: Peers
  readonly #nowMs: () => number
  readonly node: ToxNode
  #connection: Connection = 'none'
  #dht: ToxStatus['dht'] = null
  /** The status message that the node shows. */
  #shown = ''
  readonly #serial = new Serial()
  /** The node limits its friends too, but a friend may have taken it over. */
  #limits: FriendLimits
  readonly #requestLimit: RequestLimit
  /** Status messages of friends that the keeper has not seen yet. */
  #unseen: ObservationParams[] = []

  constructor(options: BridgeOptions) {
    const { keeper, peers, log, spawn } = options
    this.#options = options
    this.#keeper = keeper
    this.#peers = peers
    this.#nowMs = options.nowMs ?? (() => performance.now())
    this.#limits = this.#newLimits()
    this.#requestLimit = new RequestLimit(this.#nowMs)
    this.node = new ToxNode({
      log,
      start: () => this.#startOptions(),
      wipe: (secret) => keeper.engine.wipe(secret),
      onReports: (reports) => this.#heard(reports),
      onEnded: () => this.#ended(),
      ...(spawn === undefined ? {} : { spawn }),
    })
  }

  get connection(): Connection {
    return this.#connection
  }

  /** The address with which other nodes bootstrap from this one; null while it does not run. */
  get dht(): ToxStatus['dht'] {
    return this.#dht
  }

  /** The friends that are connected. */
  online(): [string, Peer][] {
    return [...this.#peers.all].filter(([, { connection }]) => connection !== 'none')
  }

  /** Runs one task after the other. A task that fails is logged and does not stop the next; a failed store stops the daemon. */
  inTurn(work: () => Promise<void>): void {
    this.#serial.run(work).catch((error: unknown) => {
      this.#options.log.error('tox.failed', describeError(error))
    })
  }

  /** Resolves when nothing is left to do. */
  async idle(): Promise<void> {
    await this.#serial.idle()
  }

  /** Reports what friends showed, in batches. */
  async observe(shown: readonly ObservationParams[]): Promise<void> {
    for (let i = 0; i < shown.length; i += MAX_AT_ONCE) {
      await this.#keeper.observe(shown.slice(i, i + MAX_AT_ONCE), LIVE_SOURCE)
    }
  }

  /** Stores new friends and adds them to the node. */
  async befriend(wanted: readonly NewPeer[]): Promise<void> {
    for (const { key, record } of await this.#peers.add(wanted)) {
      this.#sendAdd(key, record)
      this.#emitPeer(key, 'added')
    }
  }

  /** Shows the current own table. Friends that read packets get it at once. */
  async show(): Promise<void> {
    const text = await this.#text()
    if (text === this.#shown) return
    this.#shown = text
    this.node.send({ type: 'show', text })
    if (text === '') return
    for (const [key, { instant }] of this.online()) {
      if (instant) this.node.send({ type: 'send', key, packet: 'status', text })
    }
  }

  /** Emits an event for each friend that has left its table. */
  emitLeft(): void {
    for (const key of this.#peers.newlyLeft()) this.#emitPeer(key, 'left')
  }

  /** @throws {CompanionError} TOX_BOOTSTRAP_FILE | NO_COMPANION @throws {StoreError} */
  async #startOptions(): Promise<{ options: NodeOptions; secretKey: Uint8Array }> {
    const { config, readKey } = this.#options
    const file = config.bootstrapFile === null ? [] : await readBootstrapFile(config.bootstrapFile)
    const named = [...config.bootstrap, ...file]
    const nodes = config.loopback ? named.filter(({ host }) => host.startsWith('127.')) : named
    this.#shown = await this.#text()
    const { publicKey, secretKey } = await readKey()
    const options: NodeOptions = {
      nospam: new DataView(companionNospam(publicKey, this.#keeper.engine).buffer).getUint32(0),
      name: config.name,
      text: this.#shown,
      bootstrap: nodes.slice(0, MAX_BOOTSTRAP_NODES),
      proxy: config.proxy,
      // UDP would bypass the proxy and show the address that it hides.
      udp: config.udp && config.proxy === null,
      port: config.port,
      loopback: config.loopback,
    }
    return { options, secretKey }
  }

  /** The status message: words and token; the token alone if both do not fit; '' if no table may be shown. */
  async #text(words: string = this.#options.config.words): Promise<string> {
    try {
      return (await this.#keeper.statusMessage(words)).text
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      if (error.code === 'WORDS_TOO_LONG' && words !== '') return await this.#text('')
      if (error.code === 'RESTORE_UNRECONCILED' || error.code === 'OWN_DEVICE_UNLISTED') return ''
      throw error
    }
  }

  async #heard(reports: readonly Report[]): Promise<void> {
    for (const report of reports) {
      if (report.type === 'request') {
        // The reports before a request may decide who asks.
        await this.#observeUnseen()
        if (this.#requestLimit.admits()) await this.#asked(report.key, report.text)
      } else if (report.type === 'ready') this.#ready(report)
      else if (report.type === 'self') this.#reached(report.connection)
      else if (report.type === 'refused') this.#refused(report.key, report.error)
      else if ('key' in report && this.#peers.all.has(report.key)) this.#limits.push(report)
    }
    // The beat of the node brings us here each second, also without a report.
    this.#limits.release()
    await this.#observeUnseen()
  }

  #newLimits(): FriendLimits {
    return new FriendLimits((report) => this.#heardOf(report), this.#nowMs)
  }

  async #observeUnseen(): Promise<void> {
    await this.observe(this.#unseen.splice(0))
  }

  #refused(key: string, error: number): void {
    const peer = this.#peers.all.get(key)
    if (peer === undefined) return
    peer.refused = error
    this.#options.log.warn('tox.refused', { message: 'libtoxcore refuses a friend', key, error })
  }

  #heardOf(report: FriendReport): void {
    const { key } = report
    const peer = this.#peers.all.get(key)!
    switch (report.type) {
      case 'friend':
        return this.#met(key, peer, report.connection)
      case 'name':
        peer.name = report.text
        return
      case 'packet':
        peer.instant = true
        if (report.packet === 'support') return
        break
      case 'status':
        break
    }
    // Tox sends an empty status message at each connect, before the real one.
    if (report.text === '') return
    const { name } = peer
    this.#unseen.push({ from: key, text: report.text, ...(name === '' ? {} : { name }) })
  }

  #ready({ version, port, dhtKey }: Extract<Report, { type: 'ready' }>): void {
    this.#dht = { port, key: dhtKey }
    this.#options.log.info('tox.ready', { message: 'the companion runs', version, port: port ?? 0 })
    for (const [key, { record }] of this.#peers.all) this.#sendAdd(key, record)
    this.#options.onReady()
  }

  #reached(connection: Connection): void {
    if (connection === this.#connection) return
    this.#connection = connection
    this.#tell({ event: 'tox.connected', data: { connection } })
  }

  #met(key: string, peer: Peer, connection: Connection): void {
    const [was, is] = [peer.connection !== 'none', connection !== 'none']
    peer.connection = connection
    if (is === was) return
    if (is) this.node.send({ type: 'send', key, packet: 'support', text: '' })
    else peer.instant = false
    this.#emitPeer(key, is ? 'online' : 'offline')
  }

  /** Accepts a friend request if a table shows whose device asks; otherwise the owner decides. */
  async #asked(key: string, text: string): Promise<void> {
    if (this.#peers.all.has(key)) return
    const judged = this.#options.requests.judge(key, text)
    if (judged.peer === null) {
      if (judged.isNew) this.#tell({ event: 'tox.request', data: { key, personaId: judged.personaId } })
      return
    }
    await this.befriend([{ key, record: judged.peer }])
    // Tox proves the sender of a request as it proves the sender of a status message.
    await this.observe([{ from: key, text }])
  }

  /** Adds a friend. Companions get a request with the own table, which shows them whose device we are; other clients add us themselves. */
  #sendAdd(key: string, { personaId, toxId }: Peer['record']): void {
    const { engine, onDisk } = this.#keeper
    const listed = personaId === null ? undefined : onDisk.personas.get(personaId)?.devices.find((d) => d.key === key)
    const to = listed?.companion ? companionToxId(parseHex(key)!, engine) : toxId
    const request = to === null || this.#shown === '' ? null : { toxId: to, text: this.#shown }
    this.node.send({ type: 'add', key, request })
  }

  #emitPeer(key: string, change: 'added' | 'online' | 'offline' | 'left'): void {
    const { contact } = holderOf(key, this.#keeper.reader())
    this.#tell({ event: 'tox.peer', data: { key, contact: contact?.name ?? null, change } })
  }

  #tell(event: NewEvent): void {
    this.inTurn(() => this.#keeper.emit(event))
  }

  #ended(): void {
    this.#dht = null
    this.#limits = this.#newLimits()
    this.#reached('none')
    const online = this.online().map(([key]) => key)
    this.#peers.forgetConnections()
    for (const key of online) this.#emitPeer(key, 'offline')
  }
}

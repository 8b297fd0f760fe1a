/** The library for web pages (docs/connectoid.md): links, and channels that live in one tab of a browser. */
import type { Watch } from '../channel/carriers/carrier.ts'
import type { RelayCarrier } from '../channel/carriers/relay-carrier.ts'
import { beginGuest } from '../channel/handshake/guest.ts'
import { HandshakeError } from '../channel/handshake/errors.ts'
import { openInvite } from '../channel/handshake/host.ts'
import { INVITE_LIFE_SEC, isExpired, K_BYTES, type Invite } from '../channel/invite/invite.ts'
import { formatHex } from '../core/encoding/bytes.ts'
import { portableBoxes } from '../crypto/portable-boxes.ts'
import { Serial } from '../process/serial.ts'
import { browser } from './browser.ts'
import { deliver } from './deliver.ts'
import { ConnectoidError } from './errors.ts'
import type { ConnectoidPage, Message, OpenOptions, PeerOfPage, Share } from './interface.ts'
import { formatLink, linkOf, readLink } from './link.ts'
import { isSpent, noteGuest, repeatAtOnce, selfAt } from './meeting.ts'
import { openPage, type OpenPage } from './open.ts'
import { PageEnd } from './page-end.ts'
import { contextOf, newPlace, type PageMeans } from './page-means.ts'
import { checkName, Peer } from './peer.ts'
import { qrSvg } from './qr.ts'
import { newRecord, type PeerRecord } from './record.ts'
import type { Turn } from './turn.ts'
import { UnreadablePeer } from './unreadable-peer.ts'

const ID_BYTES = 8
const AGAIN_MS = 300_000 // sanity: what a relay that is away keeps from being done
const MAX_SLEEP_MS = 3_600_000 // sanity: a computer that slept is an hour late at most

interface NewPeer {
  readonly name: string
  readonly invite: Invite
  readonly isOwnLink: boolean
  readonly replaces: string | null
}

/** A peer with what the page was shown of it last. */
interface Entry {
  readonly end: PageEnd
  readonly peer: Peer
  shown: string
  watched: string
  isDelivering: boolean
  /** It does nothing by itself before. */
  notBeforeMs: number
}

export class Connectoid implements ConnectoidPage {
  onchange: ((peer: PeerOfPage) => void) | null = null
  readonly #page: OpenPage
  readonly #means: PageMeans
  readonly #entries = new Map<string, Entry>()
  readonly #unreadable = new Map<string, UnreadablePeer>()
  /** Links are used one after another, so that two clicks make one peer. */
  readonly #accepting = new Serial()
  #onmessage: ((message: Message) => unknown) | null = null
  #stop = new AbortController()
  #watch: Watch
  #cancel: () => void = () => {}
  readonly #online = (): void => this.#retry()

  /**
   * Opens the channels of an app in this browser. If another tab has them, it waits until that tab is closed.
   * @throws {ConnectoidError} BAD_APP | BAD_SERVICE | BAD_NAME | BAD_ICE | UNSUPPORTED | STORAGE
   */
  static async open(options: OpenOptions): Promise<Connectoid> {
    const connectoid = new Connectoid(await openPage(options))
    for (const peer of connectoid.#unreadable.values()) options.onunreadable?.(peer, peer.error)
    return connectoid
  }

  private constructor(page: OpenPage) {
    this.#page = page
    this.#means = page.means
    for (const [id, record] of page.records) this.#add(id, record)
    for (const [id, error] of page.unreadable) this.#addUnreadable(id, error)
    this.#watch = this.#watching(page.means.carrier)
    page.onlost = () => void this.close()
    browser.addEventListener('online', this.#online)
    for (const entry of this.#entries.values()) void this.#tick(entry)
  }

  get onmessage(): ((message: Message) => unknown) | null {
    return this.#onmessage
  }

  set onmessage(handler: ((message: Message) => unknown) | null) {
    this.#onmessage = handler
    for (const entry of this.#entries.values()) void this.#deliver(entry)
  }

  peers(): PeerOfPage[] {
    const listed = [...this.#entries.values()].filter(({ end }) => !end.record.isUnshared)
    const readable = listed.toSorted((a, b) => a.end.record.madeMs - b.end.record.madeMs).map(({ peer }) => peer)
    return [...readable, ...this.#unreadable.values()]
  }

  async share(name: string, replaces?: PeerOfPage): Promise<Share> {
    checkName(name)
    const { ownName, app, clock } = this.#means
    const invitePlace = await newPlace(this.#means)
    const invite: Invite = {
      address: invitePlace.address,
      k: portableBoxes.randomBytes(K_BYTES),
      app,
      expiresAtSec: Math.floor(clock.nowMs() / 1000) + INVITE_LIFE_SEC,
      ...(ownName === null ? {} : { name: ownName }),
    }
    const url = formatLink(this.#page.url, invite)
    const peer = await this.#make({ name, invite, isOwnLink: true, replaces: replaces?.id ?? null }, (turn) => {
      turn.addPair(invitePlace)
      turn.set({ host: openInvite(invite), invitePlace })
    })
    return { url, qr: qrSvg(url), peer }
  }

  async accept(url: string, name: string): Promise<Peer> {
    checkName(name)
    const invite = readLink(url)
    return await this.#accepting.run(async () => await this.#accept(invite, name))
  }

  async #accept(invite: Invite, name: string): Promise<Peer> {
    const { app, clock } = this.#means
    if (invite.app !== app) throw refusal('OTHER_APP', `the link is for the app ${invite.app}`, 'open it in that app')
    if (invite.for !== undefined) throw refusal('PERSONA', 'the link is for one persona', 'use it on the command line')
    const link = linkOf(invite)
    const known = [...this.#entries.values()].find(({ end }) => end.record.link === link && !end.record.isUnshared)
    if (known !== undefined && known.end.record.isOwnLink)
      throw refusal('OWN_LINK', 'this browser has made the link', 'send it to the person whom it is for')
    if (known !== undefined) return known.peer
    if (isExpired(invite, Math.floor(clock.nowMs() / 1000)))
      throw refusal('EXPIRED', 'the link is over', 'ask for a new one')
    const place = await newPlace(this.#means)
    try {
      const read = { kind: 'invite', invite, appUrl: null } as const
      const step = await beginGuest(read, app, selfAt(place, this.#means), contextOf())
      return await this.#make({ name, invite, isOwnLink: false, replaces: null }, (turn) => {
        turn.addPair(place)
        turn.set({ current: place, ownName: invite.name ?? null })
        noteGuest(turn, step)
      })
    } catch (cause) {
      if (!(cause instanceof HandshakeError)) throw cause
      throw refusal('DAMAGED', 'nothing can be sent to the maker of the link', 'ask for a new one')
    }
  }

  async close(): Promise<void> {
    this.#stop.abort()
    this.#cancel()
    browser.removeEventListener('online', this.#online)
    await Promise.all([...this.#entries.values()].map(({ end }) => end.close()))
    this.#page.close()
  }

  async #make({ name, invite, ...facts }: NewPeer, work: (turn: Turn) => void): Promise<Peer> {
    const id = formatHex(portableBoxes.randomBytes(ID_BYTES)).toLowerCase()
    await this.#means.disk.addSeal(id)
    const record = newRecord({ name, madeMs: this.#means.clock.nowMs(), link: linkOf(invite), ...facts })
    const { end, peer } = this.#add(id, record)
    try {
      await end.run(work)
    } catch (error) {
      this.#entries.delete(id)
      throw error
    }
    return peer
  }

  #add(id: string, record: PeerRecord): Entry {
    const end = new PageEnd(id, record, this.#means, { changed: () => this.#changed(entry) })
    const peer = new Peer(end)
    const entry: Entry = { end, peer, shown: '', watched: '', isDelivering: false, notBeforeMs: 0 }
    this.#entries.set(id, entry)
    return entry
  }

  #addUnreadable(id: string, error: ConnectoidError): void {
    const peer = new UnreadablePeer(id, error, async () => {
      await this.#means.disk.erase(id)
      this.#unreadable.delete(id)
      this.onchange?.(peer)
    })
    this.#unreadable.set(id, peer)
  }

  /** A turn of the peer is on disk, or its relay is away or back. */
  #changed(entry: Entry): void {
    const { end, peer } = entry
    const { id, name, ownName, state, problem, way, words, isVerified, lastHeardMs, unsent } = peer
    const { isUnshared, invitePlace, current, next } = end.record
    const members = [name, ownName, state, problem, way, words, isVerified, lastHeardMs, unsent, isUnshared]
    const shown = JSON.stringify(members)
    const watched = [invitePlace, current, next].map((place) => place?.address.pub.join() ?? '').join()
    if (watched !== entry.watched) this.#watch.changed()
    entry.watched = watched
    if (isSpent(end.record)) void this.#erase(id)
    else this.#arm()
    void this.#deliver(entry)
    if (end.record.replaces !== null && state === 'connected') void this.#replace(end)
    if (shown === entry.shown) return
    entry.shown = shown
    this.onchange?.(peer)
  }

  /** The peer of before goes first: a crash in between, or a full disk, leaves this one as it is, and the next change tries again. */
  async #replace(end: PageEnd): Promise<void> {
    const work = async (turn: Turn): Promise<void> => {
      const before = this.peers().find(({ id }) => id === turn.record.replaces)
      await before?.unshare()
      turn.set({ replaces: null })
    }
    await end.run(work).catch(() => {})
  }

  async #erase(id: string): Promise<void> {
    const entry = this.#entries.get(id)
    if (entry === undefined) return
    this.#entries.delete(id)
    await entry.end.close()
    await this.#means.disk.erase(id)
    this.onchange?.(entry.peer)
  }

  #watching(carrier: RelayCarrier): Watch {
    return carrier.watch(
      () => [...this.#entries.values()].flatMap(({ end }) => end.watched()),
      ({ line }) => this.#entries.get(line.id)?.end.wake(),
      this.#stop.signal,
    )
  }

  /** The network is back: nobody waits for the end of a pause. */
  #retry(): void {
    this.#stop.abort()
    this.#stop = new AbortController()
    this.#means.carrier.retry()
    this.#watch = this.#watching(this.#means.carrier)
    for (const entry of this.#entries.values()) {
      entry.end.retry()
      void entry.end.later(repeatAtOnce)
      entry.notBeforeMs = 0
    }
    this.#arm()
  }

  /** Sets the one timer of the page. */
  #arm(): void {
    this.#cancel()
    if (this.#stop.signal.aborted) return
    const nowMs = this.#means.clock.nowMs()
    const times = [...this.#entries.values()].map(dueMs)
    const waitMs = Math.min(MAX_SLEEP_MS, Math.max(0, Math.min(...times) - nowMs))
    this.#cancel = this.#means.clock.after(waitMs, () => {
      for (const entry of this.#entries.values()) if (dueMs(entry) <= this.#means.clock.nowMs()) void this.#tick(entry)
      this.#arm()
    })
  }

  async #tick(entry: Entry): Promise<void> {
    entry.notBeforeMs = this.#means.clock.nowMs() + AGAIN_MS
    try {
      await entry.end.tick()
      entry.notBeforeMs = 0
    } catch {
      // A relay is away, or the page is closed.
    }
    this.#changed(entry)
  }

  async #deliver(entry: Entry): Promise<void> {
    const { end, peer } = entry
    if (entry.isDelivering || this.#onmessage === null || !end.hasContents) return
    entry.isDelivering = true
    const isAll = await deliver(end, peer, this.#onmessage)
    // One that the page does not take stops those after it.
    entry.isDelivering = !isAll
    if (isAll) void this.#deliver(entry)
  }
}

/** When an entry has something to do by itself, in unix milliseconds. */
function dueMs({ end, notBeforeMs }: Entry): number {
  return Math.max(end.dueMs ?? Infinity, notBeforeMs)
}

function refusal(
  code: ConstructorParameters<typeof ConnectoidError>[0],
  message: string,
  hint: string,
): ConnectoidError {
  return new ConnectoidError(code, message, { hint })
}

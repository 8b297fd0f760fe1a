/** Channels as a wing: invites, handshakes and lasting lines between apps (docs/channel.md). Most daemons have none, so its code is loaded late. */
import { LINK_APP } from '../../core/encoding/app-name.ts'
import * as schema from '../../ipc/methods/channels.ts'
import type { Finding } from '../../ipc/shapes/doctor.ts'
import type { Handlers } from '../../ipc/methods/method.ts'
import { lateHandlers } from '../wing/late-handlers.ts'
import type { Host, OpenWing, Wing } from '../wing/wing.ts'
import type { AtWork } from './at-work.ts'
import { CHANNEL } from './records/channel-record.ts'
import { REOPENING } from './records/reopening.ts'
import { INVITE, SEALED_KINDS } from './records/kinds.ts'

export const CHANNELS: Wing<schema.ChannelsMethods, null> = {
  schema: schema.CHANNELS,
  section: null,
  kinds: [CHANNEL, REOPENING],
  sealedKinds: SEALED_KINDS,
  open: (host) => new Standby(host),
}

/** Loads the channels when the first call needs them, or at the start if there are any. */
class Standby implements OpenWing<schema.ChannelsMethods, null> {
  readonly handlers: Handlers<schema.ChannelsMethods>
  readonly #host: Host
  #loading: Promise<AtWork> | null = null
  #atWork: AtWork | null = null

  constructor(host: Host) {
    this.#host = host
    host.letters.take = async (letter) => await (await this.#load()).takeInvite(letter)
    host.introductions.ways = async () => await (await this.#load()).ways()
    host.lines.hasAny = async () => await this.#hasAny()
    host.lines.open = async () => (await this.#load()).lines
    host.cards.onChanged((_, app) => {
      if (app === LINK_APP && host.sealed.key.isOpen) host.lines.changed()
    })
    this.handlers = lateHandlers(schema.CHANNELS.methods, () => this.#load())
  }

  async start(): Promise<void> {
    if (await this.#hasAny()) await this.#load()
  }

  onEvent(event: Parameters<AtWork['onEvent']>[0]): void {
    this.#atWork?.onEvent(event)
  }

  status(): ReturnType<AtWork['status']> {
    if (this.#atWork !== null) return this.#atWork.status()
    const appsLocked = !this.#host.sealed.key.isOpen
    return { part: { channels: { appsLocked, invites: 0, waiting: 0, open: 0, held: 0, broken: 0 } }, findings: [] }
  }

  async findings(): Promise<Finding[]> {
    const { folders } = this.#host.netConfig
    return [...(folders.length === 0 ? [] : await this.#ofFolders(folders)), ...(this.#atWork?.findings() ?? [])]
  }

  async farewell(): ReturnType<AtWork['farewell']> {
    return (await this.#hasAny()) ? await (await this.#load()).farewell() : []
  }

  async close(): Promise<void> {
    await (await this.#loading)?.close()
  }

  async #ofFolders(folders: readonly string[]): Promise<Finding[]> {
    const { folderFindings } = await import('./folder-findings.ts')
    return await folderFindings(folders)
  }

  #load(): Promise<AtWork> {
    this.#loading ??= this.#open()
    return this.#loading
  }

  async #open(): Promise<AtWork> {
    const { openAtWork } = await import('./at-work.ts')
    this.#atWork = await openAtWork(this.#host)
    return this.#atWork
  }

  /** Whether there is a channel, a join or an invite. Each but an invite has a record of its own; an invite is known by its id, without the key. */
  async #hasAny(): Promise<boolean> {
    const { keeper, sealed } = this.#host
    for await (const _ of keeper.onDisk.of(CHANNEL).iterate({ limit: 1 })) return true
    for await (const _ of sealed.onDisk(INVITE).ids()) return true
    return false
  }
}

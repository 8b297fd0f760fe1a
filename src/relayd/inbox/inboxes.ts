/** Inboxes at a relay: who may leave entries for whom, and who may read them (docs/inbox.md). The store keeps them. */
import type { CardEntry } from '../../card/card.ts'
import type { CardEngine } from '../../card/verify.ts'
import { encodeUtf8, equalBytes, formatBase64url } from '../../core/encoding/bytes.ts'
import type { RelayLimits } from '../../relay/limits.ts'
import type { DevicePurpose, Devices } from '../cards/devices.ts'
import { chargeAddress } from '../store/charge-address.ts'
import { inboxIdOf, type AskingDevice, type DeviceTag, type InboxId } from '../store/inbox-store.ts'
import type { PersonaId } from '../store/persona-id.ts'
import type { RelayStore } from '../store/relay-store.ts'
import { InboxWatchers } from './inbox-watchers.ts'
import { readAck, readPost, readQuery, readSenders } from './inbox-request.ts'
import type {
  FollowAnswer,
  InboxRefusal,
  InboxRequest,
  InboxService,
  ListAnswer,
  OwnerAnswer,
  PostAnswer,
  ReadEntries,
} from './inbox-service.ts'

export interface InboxesOptions {
  readonly store: Pick<RelayStore, 'cardOf' | 'spend' | 'inboxes'>
  readonly devices: Devices
  readonly engine: CardEngine
  readonly limits: RelayLimits
  readonly nowUs: () => number
}

/** A device of the owner, at their inbox. */
interface Owner {
  readonly id: InboxId
  readonly app: string
  readonly device: AskingDevice
}

type Busy = Extract<InboxRefusal, { readonly outcome: 'busy' }>

const FOLLOWED_AT_ONCE = 16 // sanity: some entries beyond what the reader takes; the others follow when it has
const FORM = { outcome: 'request form' } as const

export class Inboxes implements InboxService {
  readonly #options: InboxesOptions
  readonly #watchers: InboxWatchers

  constructor(options: InboxesOptions) {
    this.#options = options
    this.#watchers = new InboxWatchers(options.store.inboxes)
  }

  async post(request: InboxRequest): Promise<PostAnswer> {
    const { store, devices, limits, nowUs } = this.#options
    const busy = await this.#charge(request)
    if (busy !== null) return busy
    const read = readPost(request.body)
    if (read === null) return FORM
    const judged = await this.#judge(request, { to: request.persona }, read.app)
    if (judged.outcome !== 'good') return judged
    const { persona: from, app, deviceKey, bodyHash, card } = judged.device
    const owner = await store.cardOf(request.persona, app, nowUs())
    if (owner === null || owner.isGuest) return { outcome: 'none' }
    const waitMs = await store.spend([{ key: `sender:${from}`, ...limits.boxSends }], nowUs())
    if (waitMs > 0) return { outcome: 'busy', retryAfterSec: Math.ceil(waitMs / 1000) }
    const kid = formatBase64url(deviceKey)
    const entry = { from, kid, at: card.at, bodyHash: formatBase64url(bodyHash), encId: read.encId }
    const listed = devices.listedIn(owner).map(tagOf)
    const outcome = await store.inboxes.post(inboxIdOf(request.persona, app), entry, listed, nowUs())
    switch (outcome) {
      case 'stored':
      case 'repeated':
      case 'blocked':
        return { outcome: 'taken' }
      case 'full':
      case 'no strangers':
      case 'disk':
        return { outcome }
    }
  }

  list(request: InboxRequest): Promise<ListAnswer> {
    const read = readQuery(request.path, this.#options.limits)
    return this.#asOwner(request, read, async (owner, { after, limit }) => ({
      outcome: 'listed',
      ...(await this.#read(owner, after, limit)),
    }))
  }

  acknowledge(request: InboxRequest): Promise<OwnerAnswer> {
    const { store, limits, nowUs } = this.#options
    return this.#asOwner(request, readAck(request.body, limits), async ({ id, device }, { numbers }) => {
      const isDone = await store.inboxes.acknowledge(id, device, numbers, nowUs())
      return { outcome: isDone ? 'done' : 'disk' }
    })
  }

  setSenders(request: InboxRequest): Promise<OwnerAnswer> {
    const { store, nowUs } = this.#options
    return this.#asOwner(request, readSenders(request.body), async ({ id, device }, { rules }) => {
      const outcome = await store.inboxes.setSenders(id, device, rules, nowUs())
      return { outcome: outcome === 'full' ? 'disk' : outcome }
    })
  }

  follow(request: InboxRequest): Promise<FollowAnswer> {
    const read = readQuery(request.path, this.#options.limits)
    return this.#asOwner(request, read, async (owner, { after }) => ({
      outcome: 'followed',
      inbox: {
        after,
        read: async (cursor) => {
          const device = await this.#stillListed(request.persona, owner)
          return device === null ? null : await this.#read({ ...owner, device }, cursor, FOLLOWED_AT_ONCE)
        },
        isListed: async () => (await this.#stillListed(request.persona, owner)) !== null,
        watch: (listener) =>
          this.#watchers.watch(owner.id, (coming) =>
            listener(coming === null ? null : { ...coming, entry: { ...coming.entry, app: owner.app } }),
          ),
      },
    }))
  }

  /** Ends all watches. The store stays open. */
  close(): void {
    this.#watchers.close()
  }

  /** Answers a call of a device of the owner. @param read null for a request of another form */
  async #asOwner<Read extends { readonly app: string }, Answer>(
    request: InboxRequest,
    read: Read | null,
    answer: (owner: Owner, read: Read) => Promise<Answer>,
  ): Promise<Answer | InboxRefusal> {
    const busy = await this.#charge(request)
    if (busy !== null) return busy
    if (read === null) return FORM
    const judged = await this.#judge(request, { own: request.persona }, read.app)
    if (judged.outcome !== 'good') return judged
    const { persona, app, deviceKey, card, listed } = judged.device
    // The relay keeps the card of a guest for what they leave for others, and nothing else of theirs.
    if (card.isGuest) return { outcome: 'token' }
    const tag = tagOf(listed.find(({ sig }) => equalBytes(sig, deviceKey))!)
    return await answer({ id: inboxIdOf(persona, app), app, device: { tag, listed: listed.map(tagOf) } }, read)
  }

  async #charge({ address }: InboxRequest): Promise<Busy | null> {
    const { store, limits, nowUs } = this.#options
    const retryAfterSec = await chargeAddress(store, address, limits.address, nowUs())
    return retryAfterSec === 0 ? null : { outcome: 'busy', retryAfterSec }
  }

  /** Judges the token of a request that names this app in its body or query. */
  async #judge(
    { method, path, body, bearer }: InboxRequest,
    purpose: DevicePurpose,
    app: string,
  ): ReturnType<Devices['judge']> {
    const { devices, engine } = this.#options
    const bodyHash = engine.sha256(encodeUtf8(body))
    const judged = await devices.judge({ method, path, bodyHash, bearer }, purpose)
    return judged.outcome === 'good' && judged.device.app !== app ? { outcome: 'request' } : judged
  }

  async #read({ id, app, device }: Owner, after: number, limit: number): Promise<ReadEntries> {
    const { store, nowUs } = this.#options
    const { entries, next } = await store.inboxes.list(id, device, after, limit, nowUs())
    return { entries: entries.map((entry) => ({ ...entry, app })), next }
  }

  async #stillListed(persona: PersonaId, { app, device: { tag } }: Owner): Promise<AskingDevice | null> {
    const { store, devices, nowUs } = this.#options
    const card = await store.cardOf(persona, app, nowUs())
    const listed = card === null || card.isGuest ? [] : devices.listedIn(card).map(tagOf)
    return listed.includes(tag) ? { tag, listed } : null
  }
}

function tagOf({ tag }: CardEntry): DeviceTag {
  return formatBase64url(tag)
}

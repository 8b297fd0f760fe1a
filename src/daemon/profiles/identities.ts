/** Keeps copies of own profiles, and notices when one of them loses its keys. */
import type { KeptProfile, LostProfile } from '../../ipc/shapes/profiles.ts'
import type { Log } from '../../process/log.ts'
import { KeptCopies } from '../../tox/profile/kept-copies.ts'
import type { ToxProfile } from '../../tox/profile/profile-file.ts'
import type { WatchClock } from '../../tox/profile/watch.ts'
import { ToxError } from '../../tox/save/errors.ts'
import { deviceOf, type KnownProfile, type ProfileKeeper } from './known.ts'
import { describeLostProfile, findLosses } from './losses.ts'
import { rememberedPlaces } from './own-profiles.ts'

export const LOSS_MS = 2000 // sanity: a client may remove a profile before it writes the new one

export interface IdentitiesOptions {
  readonly keeper: ProfileKeeper
  readonly nowSec: () => number
  readonly log: Log
  readonly clock: WatchClock
  /** Directory of the copies */
  readonly copies: string
  /** Asks for a call of {@link Identities.check} in its turn. */
  readonly onDue: () => void
}

export class Identities {
  readonly #options: IdentitiesOptions
  readonly #copies: KeptCopies
  #lost: readonly LostProfile[] = []
  readonly #told = new Map<string, string>()
  readonly #troubles = new Map<string, string>()
  #cancel: (() => void) | null = null

  constructor(options: IdentitiesOptions) {
    this.#options = options
    this.#copies = new KeptCopies(options.copies)
  }

  /** As of the last check. */
  get lost(): readonly LostProfile[] {
    return this.#lost
  }

  /** Profiles whose copy could not be kept, in words for people. */
  get troubles(): string[] {
    return [...this.#troubles.values()]
  }

  /** Keeps a copy of a good save of an own profile. It never throws: a full disk must not stop the watching. */
  async keep({ path, key, device }: KnownProfile['view'], profile: ToxProfile): Promise<void> {
    if (key === null || device === null) return
    this.#lost = this.#lost.filter((loss) => loss.key !== key)
    // A date in the future would stay the newest for ever.
    const savedAtSec = Math.min(profile.fileMtimeSec, this.#options.nowSec())
    try {
      await this.#copies.keep(key, path, profile.fileBytes, savedAtSec)
      this.#troubles.delete(path)
    } catch (error) {
      if (!(error instanceof ToxError)) throw error
      if (this.#troubles.get(path) !== error.message)
        this.#options.log.warn('profile.not-kept', { message: error.message, code: error.code, path })
      this.#troubles.set(path, error.message)
    }
  }

  async list(): Promise<KeptProfile[]> {
    const kept = await this.#copies.list()
    return kept.map(({ key, path, copies }) => {
      return { path, key, device: deviceOf(key, this.#options.keeper), copies: [...copies] }
    })
  }

  /** Looks for losses a moment later. */
  soon(): void {
    this.#cancel ??= this.#options.clock.after(LOSS_MS, () => {
      this.#cancel = null
      this.#options.onDue()
    })
  }

  /** Sends an event for each new loss. */
  async check(known: ReadonlyMap<string, KnownProfile>, places: readonly string[]): Promise<void> {
    const { keeper, log } = this.#options
    const kept = await this.#copies.list()
    // One that was lost before its first read has no copy, but a command named it.
    const unread = rememberedPlaces(keeper).filter(({ key }) => !kept.some((profile) => profile.key === key))
    const wanted = [...kept, ...unread.map((place) => ({ ...place, copies: [] }))]
    this.#lost = await findLosses(wanted, known, places, keeper)
    const keys = new Set(this.#lost.map(({ key }) => key))
    for (const key of this.#told.keys()) if (!keys.has(key)) this.#told.delete(key)
    for (const loss of this.#lost) {
      if (this.#told.get(loss.key) === loss.state) continue
      this.#told.set(loss.key, loss.state)
      const message = describeLostProfile(loss)
      await keeper.emit({ event: 'profile.lost', data: { ...loss, message } })
      log.warn('profile.lost', { message, path: loss.path })
    }
  }

  /** Ends the waiting, and forgets what was lost: other places may be watched from now on. */
  close(): void {
    this.#cancel?.()
    this.#cancel = null
    this.#lost = []
    this.#troubles.clear()
  }
}

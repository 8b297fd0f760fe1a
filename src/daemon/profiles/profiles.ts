/** The watched Tox profiles: reports what their friends show, and compares own profiles with the own table. */
import { formatHex } from '../../core/encoding/bytes.ts'
import type { Sighting } from '../../core/consent.ts'
import type { CryptoEngine } from '../../crypto/engine.ts'
import type { ProfileList } from '../../ipc/shapes/profiles.ts'
import { ToxError } from '../../tox/save/errors.ts'
import type { Machine } from '../../tox/profile/lock-file.ts'
import { Retries } from '../../tox/profile/retries.ts'
import { canSeeClients } from '../../tox/profile/sight.ts'
import type { ToxProfile } from '../../tox/profile/profile-file.ts'
import { readKeys, readName, readStatusMessage } from '../../tox/save/savefile.ts'
import type { WatchDirectory } from '../../process/watch-directory.ts'
import { ProfileWatch, monotonicClock, type WatchClock } from '../../tox/profile/watch.ts'
import { describeError } from '../../process/describe-error.ts'
import type { Log } from '../../process/log.ts'
import { Serial } from '../../process/serial.ts'
import { wordsToKeep } from './shown.ts'
import { compareKnown, deviceOf, isDue, newKnown, noteUnread, type KnownProfile, type ProfileKeeper } from './known.ts'
import { dueProfiles, takeWritten } from './hand.ts'
import { readGuarded, reportFriends } from './read.ts'
import type { DueProfiles, WrittenProfile } from '../../ipc/shapes/due.ts'
import type { Handlers } from '../../ipc/methods/method.ts'
import type { ProfileMethods } from '../../ipc/methods/profiles.ts'
import { RunningClients } from './clients.ts'
import { Identities } from './identities.ts'
import { ownProfiles, rememberPlace } from './own-profiles.ts'
import { reportBlobLoss } from './blob-loss.ts'
import { summaryOf, type ProfileSummary } from './summary.ts'
import { writeBack } from './write-back.ts'
import { keepWords, wordsLeftOut, wordsToKeepAfter } from './words.ts'

export interface ProfilesOptions {
  readonly keeper: ProfileKeeper
  readonly engine: CryptoEngine
  readonly nowSec: () => number
  readonly log: Log
  /** Directory of the copies of own profiles */
  readonly copies: string
  readonly machine?: Machine
  readonly clock?: WatchClock
  readonly watchDirectory?: WatchDirectory
}

/** The part of the configuration that concerns profiles. */
export interface ProfilesConfig {
  /** Absolute; empty if the daemon watches nothing */
  readonly places: readonly string[]
  readonly repair: boolean
  /** Absolute; for the hand that writes profiles outside of the sandbox */
  readonly passphraseFile?: string | null
  /** @throws {ToxError} */
  readonly passphrase: () => Promise<string | null>
}

export class Profiles {
  readonly #options: ProfilesOptions
  readonly #known = new Map<string, KnownProfile>()
  #config: ProfilesConfig = { places: [], repair: false, passphrase: () => Promise.resolve(null) }
  #watch: ProfileWatch | null = null
  #seesClients = true
  #isStopped = false
  readonly #serial = new Serial()
  readonly #clients: RunningClients
  readonly #retries: Retries
  readonly #identities: Identities

  constructor(options: ProfilesOptions) {
    this.#options = options
    this.#clients = new RunningClients(options.nowSec, options.machine)
    this.#retries = new Retries({
      ...options,
      again: (path) => {
        if (this.#known.has(path)) void this.#inSerial(() => this.#scan(path))
      },
    })
    const clock = options.clock ?? monotonicClock
    this.#identities = new Identities({
      ...options,
      clock,
      onDue: () => void this.#inSerial(() => this.#checkLosses()),
    })
  }

  /** Watches only these places from now on, and forgets all other profiles. */
  async configure(config: ProfilesConfig): Promise<void> {
    await this.stop()
    this.#isStopped = false
    this.#config = config
    if (config.places.length === 0) return
    const { log, clock, watchDirectory, machine } = this.#options
    this.#seesClients = await canSeeClients(machine)
    this.#watch = new ProfileWatch({
      places: config.places,
      onProfile: (path) => this.#inSerial(() => this.#scan(path)),
      onGone: (path) => {
        this.#known.delete(path)
        this.#retries.forget(path)
        this.#identities.soon()
      },
      onTrouble: (message) => log.warn('profile.trouble', { message }),
      ...(clock === undefined ? {} : { clock }),
      ...(watchDirectory === undefined ? {} : { watchDirectory }),
    })
    await this.#watch.start()
    this.#identities.soon()
  }

  /** Stops watching, after any write that runs. */
  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#watch?.close()
    await this.#serial.idle()
    this.#retries.close()
    this.#identities.close()
    this.#watch = null
    this.#known.clear()
  }

  /** Resolves when no profile is being read or written. */
  async idle(): Promise<void> {
    await this.#watch?.looked()
    await this.#serial.idle()
  }

  /** The own table changed: compares all profiles again, and reads those of new devices again. */
  ownChanged(): void {
    if (this.#known.size === 0) return
    void this.#inSerial(async () => {
      for (const [path, known] of this.#known) {
        const wasOwn = known.view.device !== null
        this.#compare(known)
        const isNew = !wasOwn && known.view.device !== null
        if (isNew || isDue(known, this.#options.keeper)) await this.#scan(path)
      }
      this.#identities.soon()
    })
  }

  /** For `status`. */
  summary(): ProfileSummary {
    return summaryOf([...this.#known.values()], this.#identities.lost, this.#troubles(), this.#options.keeper.ownTable)
  }

  /** The sighting, without the table, because the profile has a finding of its own about it; null if the key is not watched. */
  sees(key: string): Sighting | null {
    if (![...this.#known.values()].some(({ view }) => view.key === key)) return null
    const shown = this.#options.keeper.shownBy(key)
    if (shown === null) return null
    const { table: _, ...seen } = shown
    return seen
  }

  handlers(): Handlers<ProfileMethods> {
    return {
      'profile.list': () => this.list(),
      'profile.due': () => this.due(),
      'profile.copies': async () => ({ profiles: await this.#identities.list() }),
      'profile.wrote': (written) => this.wrote(written),
      'profile.own': () => ({ profiles: ownProfiles(this.#known.values(), this.#options.keeper) }),
      'profile.remember': async ({ path, key }) => ({
        device: await rememberPlace(key, path, this.#options.keeper),
      }),
      'profile.words': ({ key }) => ({ words: wordsLeftOut(key, this.#options.keeper) }),
    }
  }

  async list(): Promise<ProfileList> {
    const clients = await this.#clients.on([...this.#known.keys()])
    const profiles = [...this.#known.values()].map(({ view }) => ({ ...view, client: clients.get(view.path) ?? null }))
    return {
      profiles: profiles.toSorted((a, b) => (a.path < b.path ? -1 : 1)),
      lost: [...this.#identities.lost],
      troubles: this.#troubles(),
    }
  }

  #troubles(): string[] {
    return [...(this.#watch?.troubles ?? []), ...this.#identities.troubles]
  }

  /** The texts to write, for a hand that sees which clients run. Waits for reads that run. */
  async due(): Promise<DueProfiles> {
    await this.idle()
    const profiles = await dueProfiles(this.#known.values(), this.#options.keeper)
    return { profiles, passphraseFile: this.#config.passphraseFile ?? null }
  }

  /**
   * Reports a text that was just written. A client may overwrite it before this daemon reads the file. With the report, that counts as a
   * loss and causes an event.
   */
  async wrote(written: WrittenProfile): Promise<{ device: string | null }> {
    const device = await takeWritten(written, this.#options.keeper, this.#options.nowSec())
    if (device === null) return { device }
    await rememberPlace(written.key, written.path, this.#options.keeper)
    let leftOut = written.leftOut ?? null
    for (const [watched, known] of this.#known) {
      if (known.view.key !== written.key) continue
      if (written.repaired) leftOut ??= wordsToKeepAfter(written.text, known.words)
      known.toldLoss = null
      void this.#inSerial(() => this.#scan(watched))
    }
    if (leftOut !== null) await keepWords(written.key, leftOut, this.#options.keeper)
    return { device }
  }

  /** Serializes reads and writes. */
  #inSerial(work: () => Promise<void>): Promise<void> {
    return this.#serial.run(async () => {
      try {
        if (!this.#isStopped) await work()
      } catch (error) {
        // A failed store stops the daemon. After any other error, the socket goes on.
        this.#options.log.error('profile.failed', describeError(error))
      }
    })
  }

  async #scan(path: string): Promise<void> {
    const known = this.#known.get(path) ?? newKnown(path)
    this.#known.set(path, known)
    known.view = { ...known.view, checkedAtSec: this.#options.nowSec() }
    try {
      const { profile, access } = await readGuarded(path, this.#options.engine, this.#config.passphrase)
      const key = formatHex(readKeys(profile.save, access.engine).publicKey)
      if (key !== known.view.key) Object.assign(known, newKnown(path))
      known.view = {
        ...known.view,
        key,
        encrypted: profile.isEncrypted,
        problem: null,
        checkedAtSec: this.#options.nowSec(),
      }
      const { keeper } = this.#options
      known.reported = await reportFriends(profile, `profile:${key}`, known.reported, keeper, () => this.#isStopped)
      if (this.#isStopped) return
      await this.#reportOwn(known, profile)
      this.#compare(known)
      await this.#identities.keep(known.view, profile)
      const { repair } = this.#config
      await reportBlobLoss(known, { ...this.#options, repair, seesClients: this.#seesClients })
      await writeBack(known, profile, access, { ...this.#options, retries: this.#retries, mayWrite: repair })
    } catch (error) {
      if (!(error instanceof ToxError)) throw error
      if (noteUnread(known, error))
        this.#options.log.warn('profile.unread', { message: error.message, code: error.code, path })
    } finally {
      this.#identities.soon()
    }
  }

  /** Waits until every profile was read: one that was moved is then seen in its new place. */
  async #checkLosses(): Promise<void> {
    if (this.#watch?.isSettled !== true) return this.#identities.soon()
    await this.#identities.check(this.#known, this.#config.places)
  }

  /** Reports the text of an own profile too: a sibling may have written a newer table into it. */
  async #reportOwn(known: KnownProfile, profile: ToxProfile): Promise<void> {
    const { key } = known.view
    known.text = readStatusMessage(profile.save).text
    known.words = wordsToKeep(known.text, known.words)
    if (key === null || deviceOf(key, this.#options.keeper) === null) return
    const name = readName(profile.save).text
    const observation = { from: key, text: known.text, seenAtSec: profile.fileMtimeSec }
    await this.#options.keeper.observe([name === '' ? observation : { ...observation, name }], `profile:${key}`)
  }

  #compare(known: KnownProfile): void {
    compareKnown(known, this.#options.keeper, this.#config.repair)
  }
}

/** Everything about sealed records that the daemon opens: the key, its daily change, and the records. */
import type { Finding } from '../../ipc/shapes/doctor.ts'
import { describeError } from '../../process/describe-error.ts'
import type { Log } from '../../process/log.ts'
import type { StatePaths } from '../../store/state-dir.ts'
import type { Keeper } from '../keeper/keeper.ts'
import { AppsKey } from './apps-key.ts'
import { ArrivedRecords } from './arrived.ts'
import { KeyChange } from './change.ts'
import { appsFindings } from './findings.ts'
import type { KeyFileFs } from './key-file.ts'
import { SealedRecords } from './records.ts'
import type { SealedKind } from './sealed-kind.ts'
import type { AppsSetting } from './setting.ts'
import { scheduleKeyChange } from './timer.ts'

export interface SealedOptions {
  readonly keeper: Keeper
  readonly paths: Pick<StatePaths, 'apps'>
  /** `custody.apps`; null if the owner chose none. */
  readonly setting: AppsSetting | null
  readonly log: Pick<Log, 'warn'>
  /** The sealed kinds of all wings. */
  readonly kinds: readonly SealedKind<unknown>[]
  readonly fs?: KeyFileFs
}

export class Sealed {
  readonly key: AppsKey
  readonly change: KeyChange
  readonly records: SealedRecords
  /** Sealed records that travel in a backup. */
  readonly arrived: ArrivedRecords
  readonly #log: Pick<Log, 'warn'>
  #following: Promise<void> = Promise.resolve()

  private constructor(key: AppsKey, { keeper, kinds, log }: SealedOptions) {
    this.key = key
    this.change = new KeyChange(keeper, key)
    this.records = new SealedRecords(keeper, key, kinds)
    this.arrived = new ArrivedRecords(keeper, key, kinds)
    this.#log = log
  }

  /** Opens the key, unless it needs the passphrase. The records are counted meanwhile, for the findings: see {@link idle}. */
  static async open(options: SealedOptions): Promise<Sealed> {
    const { keeper, paths, setting, log, fs } = options
    const key = await AppsKey.open({
      path: paths.apps,
      custody: keeper.custody.apps,
      engine: keeper.engine,
      nowSec: () => keeper.nowSec,
      setting,
      hasPersona: () => keeper.hasPersona,
      log,
      ...(fs === undefined ? {} : { fs }),
    })
    const sealed = new Sealed(key, options)
    key.whenOpened(() => sealed.#follow())
    if (!key.isOpen) sealed.#follow()
    return sealed
  }

  /** Resolves when the records were counted and nothing is sealed anew. */
  async idle(): Promise<void> {
    await this.#following
    await this.change.count()
  }

  #follow(): void {
    // A crash in a restore left records that wait, or the key was closed at its end.
    const work = async (): Promise<void> => {
      await this.arrived.take()
      await this.change.count()
    }
    const failed = (error: unknown): void => this.#log.warn('apps.records', describeError(error))
    this.#following = this.#following.then(work).catch(failed)
  }

  /** @returns stops the timer of the daily change */
  start(): () => void {
    return scheduleKeyChange(this.key, this.change, this.#log)
  }

  /** What `status` and `doctor` say; nothing while no app keeps anything. */
  findings(): Finding[] {
    return appsFindings(this.key, this.change, this.records.hasWritten)
  }

  /** Ends a change that runs, and wipes the keys. */
  async close(): Promise<void> {
    this.key.close()
    await Promise.all([this.key.idle(), this.change.stop(), this.#following])
  }
}

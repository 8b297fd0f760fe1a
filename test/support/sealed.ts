/** A keeper with sealed records, on a temporary state directory. */
import { join } from 'node:path'
import { decodeUtf8, encodeUtf8 } from '../../src/core/encoding/bytes.ts'
import { Sealed } from '../../src/daemon/sealed/sealed.ts'
import type { KeyFileFs } from '../../src/daemon/sealed/key-file.ts'
import type { SealedInChange } from '../../src/daemon/sealed/records.ts'
import { sealedKind, type SealedKind } from '../../src/daemon/sealed/sealed-kind.ts'
import type { AppsSetting } from '../../src/daemon/sealed/setting.ts'
import { TestKeeper, type KeeperStory } from './keeper.ts'

/** Texts, sealed. */
export const TEXTS: SealedKind<string> = sealedKind('text', {
  encode: encodeUtf8,
  decode: (bytes) => decodeUtf8(bytes) ?? '',
})

/** Texts that a backup takes along. */
export const NOTES: SealedKind<string> = sealedKind('note', TEXTS.codec, {
  travels: 'backup',
  arrival: {
    read: (id, value) => (/^[a-z]$/.test(id) && value !== 'bad' ? value : null),
    merge: (arrived, here) => `${arrived} (restored${here === undefined ? '' : ` over ${here}`})`,
  },
})

export interface SealedStory extends KeeperStory {
  readonly setting?: AppsSetting | null
  readonly keyFs?: KeyFileFs
}

export class TestSealed {
  readonly test: TestKeeper
  readonly sealed: Sealed
  readonly warnings: unknown[]
  readonly #story: SealedStory

  private constructor(test: TestKeeper, sealed: Sealed, warnings: unknown[], story: SealedStory) {
    this.test = test
    this.sealed = sealed
    this.warnings = warnings
    this.#story = story
  }

  static async open(story: SealedStory = {}): Promise<TestSealed> {
    return await TestSealed.over(await TestKeeper.open(story), story)
  }

  static async over(test: TestKeeper, story: SealedStory = {}): Promise<TestSealed> {
    const warnings: unknown[] = []
    const sealed = await Sealed.open({
      keeper: test.keeper,
      paths: { apps: join(test.stateDir, 'apps') },
      setting: story.setting ?? null,
      log: { warn: (...entry) => void warnings.push(entry) },
      kinds: [TEXTS, NOTES],
      ...(story.keyFs === undefined ? {} : { fs: story.keyFs }),
    })
    await sealed.idle()
    return new TestSealed(test, sealed, warnings, story)
  }

  get file(): string {
    return join(this.test.stateDir, 'apps')
  }

  /** Opens everything again from disk, as after a crash. */
  async reopened(story: Partial<SealedStory> = {}): Promise<TestSealed> {
    const { stateDir, store, nowSec } = this.test
    const { keyFs: _, fs: __, ...kept } = this.#story
    return await TestSealed.open({ ...kept, stateDir, store, nowSec, ...story })
  }

  async put(id: string, text: string): Promise<void> {
    await this.inChange((texts) => texts.put(id, text))
  }

  async inChange(work: (texts: SealedInChange<string>) => void): Promise<void> {
    await this.test.keeper.change(() => work(this.sealed.records.inChange(TEXTS)))
  }

  get(id: string): string | undefined {
    return this.sealed.records.onDisk(TEXTS).get(id)
  }

  async all(prefix?: string): Promise<[string, string][]> {
    const found: [string, string][] = []
    for await (const [id, text] of this.sealed.records.onDisk(TEXTS).iterate(prefix)) found.push([id, text])
    return found
  }

  /** The finding codes of `doctor`. */
  get codes(): string[] {
    return this.sealed.findings().map(({ code }) => code)
  }
}

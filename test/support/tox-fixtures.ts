/** Real profiles, made by libtoxcore with live connections. They lie beside the repository and may be missing. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const FIXTURES = fileURLToPath(new URL('../../../shared/fixtures/', import.meta.url))
const FOLDERS = ['tox', 'tox-unknown-phone']

interface ManifestFriend {
  readonly publicKey: string
  readonly status: string
}

interface ManifestEntry {
  readonly file: string
  readonly name?: string
  readonly status?: string
  readonly publicKey?: string
  readonly address?: string
  readonly friends?: readonly ManifestFriend[]
  readonly friendCount?: number
  readonly bytes?: number
  readonly passphrase?: string
  readonly sameAs?: string
}

export interface ToxFixture extends ManifestEntry {
  readonly path: string
}

/** Why the fixtures cannot be read, for the titles of skipped tests; null if they can. */
export const fixturesAbsence: string | null = FOLDERS.every((folder) =>
  existsSync(join(FIXTURES, folder, 'manifest.json')),
)
  ? null
  : `skipped: no profiles at ${FIXTURES}`

export const toxFixtures: readonly ToxFixture[] =
  fixturesAbsence === null ? FOLDERS.flatMap((folder) => readManifest(join(FIXTURES, folder))) : []

export const plainFixtures: readonly ToxFixture[] = toxFixtures.filter((fixture) => fixture.passphrase === undefined)
export const encryptedFixtures: readonly ToxFixture[] = toxFixtures.filter(
  (fixture) => fixture.passphrase !== undefined,
)

export function readFixture(fixture: ToxFixture, file: string = fixture.file): Uint8Array {
  return new Uint8Array(readFileSync(join(fixture.path, '..', file)))
}

function readManifest(folder: string): ToxFixture[] {
  const entries = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as ManifestEntry[]
  return entries.map((entry) => ({ ...entry, path: join(folder, entry.file) }))
}

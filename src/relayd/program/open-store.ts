/** Opens the store that the configuration names: in the data directory, or in a database that several processes share. */
import { createHmac } from 'node:crypto'
import type { RelayLimits } from '../../relay/limits.ts'
import { lockStateDir } from '../../store/lock.ts'
import { createStateDir } from '../../store/state-dir.ts'
import type { ObjectBytes } from '../objects/object-bytes.ts'
import { ObjectFiles } from '../objects/object-files.ts'
import { openLevelRelayStore } from '../records/level-relay-store.ts'
import type { StoreOptions } from '../records/record-relay-store.ts'
import type { RelayStore } from '../store/relay-store.ts'
import { storeLimitsOf } from '../store/rules.ts'
import { openRelayKey, type RelayDir } from './relay-dir.ts'

const COMING_US = 3_600_000_000 // sanity: the largest object at the least speed takes 22 minutes

/** All that a relay keeps, and what goes with where it keeps it. */
export interface OpenedStore {
  readonly store: RelayStore
  readonly files: ObjectBytes
  /** The key with which questions are made and answers checked. */
  readonly key: Uint8Array
  /** How long another process may still send an object that is coming. */
  readonly comingUs: number
  /** Makes the key under which addresses have names on a day. Undefined: one of this process. */
  readonly keyOfDay: ((day: number) => Uint8Array) | undefined
}

export interface OpeningOptions {
  readonly dir: RelayDir
  /** URL of a database; null for the data directory. */
  readonly url: string | null
  readonly limits: RelayLimits
  readonly nowUs: number
  readonly random: (bytes: number) => Uint8Array
}

/**
 * @param closing gets what is to be closed, the last first
 * @throws {StoreError} the codes of openLevelRelayStore and readSecretsFile; {DatabaseError}
 */
export async function openStore(
  { dir, url, limits, nowUs, random }: OpeningOptions,
  closing: (() => Promise<unknown> | void)[],
): Promise<OpenedStore> {
  const options = { limits: storeLimitsOf(limits), answerUs: limits.questionSec * 1_000_000, nowUs }
  if (url !== null) return await openShared(dir, url, options, random, closing)
  const store = await openLevelRelayStore(dir.path, options)
  closing.push(() => store.close())
  const files = await ObjectFiles.open(dir.path)
  return { store, files, key: await openRelayKey(dir, random), comingUs: 0, keyOfDay: undefined }
}

async function openShared(
  dir: RelayDir,
  url: string,
  options: StoreOptions,
  random: (bytes: number) => Uint8Array,
  closing: (() => Promise<unknown> | void)[],
): Promise<OpenedStore> {
  // Tokens and the operator's sockets are in the directory, which is of this process alone.
  await createStateDir(dir.path, '--dir')
  const lock = await lockStateDir(dir.path)
  closing.push(() => lock.release())
  // The only place that loads pg.
  const { openPostgres } = await import('../postgres/postgres.ts')
  const { store, files, key } = await openPostgres(url, options, random)
  closing.push(() => store.close())
  // All processes name an address alike, so that it has one limit. The key of a day says nothing about those of others.
  const keyOfDay = (day: number): Uint8Array =>
    createHmac('sha256', key).update(`persona-relay/addresses ${day}`).digest()
  return { store, files, key, comingUs: COMING_US, keyOfDay }
}

/** Snapshots in tests: exports a keeper's state, carries it, and imports it into another keeper. */
import { createHash } from 'node:crypto'
import { concatBytes, decodeUtf8, encodeUtf8 } from '../../src/core/encoding/bytes.ts'
import { SnapshotImport, type ImportOptions, type ImportResult } from '../../src/daemon/snapshot/import.ts'
import type { Purpose } from '../../src/daemon/state/kind.ts'
import { exportSnapshot } from '../../src/daemon/snapshot/stream.ts'
import type { Store } from '../../src/store/store.ts'
import type { TestKeeper } from './keeper.ts'

export async function snapshotOf(keeper: TestKeeper, purpose: Purpose): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  for await (const chunk of exportSnapshot(keeper.keeper, purpose)) chunks.push(chunk)
  return concatBytes(...chunks)
}

/** Imports a snapshot in chunks of so many bytes. */
export async function importSnapshot(
  keeper: TestKeeper,
  snapshot: Uint8Array,
  options: ImportOptions,
  chunkBytes: number = snapshot.length,
  adopt: () => Promise<void> = () => Promise.resolve(),
): Promise<ImportResult> {
  const incoming = await SnapshotImport.begin(keeper.keeper, options)
  for (let at = 0; at < snapshot.length; at += chunkBytes) await incoming.push(snapshot.slice(at, at + chunkBytes))
  return await incoming.finish(adopt)
}

/** Every record by its key, except those named. */
export async function everything(store: Store, ...without: readonly string[]): Promise<Map<string, unknown>> {
  const found = new Map<string, unknown>()
  for await (const { key, value } of store.iterate({ prefix: '' })) {
    if (!without.some((kind) => key.startsWith(`${kind}/`)))
      found.set(key, JSON.parse(decodeUtf8(value.subarray(1)) ?? ''))
  }
  return found
}

export function linesOf(snapshot: Uint8Array): string[] {
  return (decodeUtf8(snapshot) ?? '').split('\n').slice(0, -1)
}

export function joinLines(lines: readonly string[]): Uint8Array {
  return encodeUtf8(lines.map((line) => `${line}\n`).join(''))
}

/** Records that belong to one store only and are in no snapshot. */
export const LOCAL_KINDS: readonly string[] = ['clock', 'history', 'tip', 'kept', 'noisy', 'place']

/** Every record that a backup restores, except the gate, which the restore sets. */
export async function restorable(store: Store): Promise<Map<string, unknown>> {
  const found = await everything(store, ...LOCAL_KINDS)
  const own = found.get('own/own')
  return own === undefined
    ? found
    : found.set('own/own', { ...own, restoredSec: null, soleEpoch: null, hadSeed: false })
}

/** Makes a snapshot of these lines with a correct count and hash, as an attacker who knows the format would. */
export function forged(lines: readonly string[]): Uint8Array {
  const body = joinLines(lines.slice(0, -1))
  const hash = createHash('sha512').update(body).digest('hex').slice(0, 64).toUpperCase()
  return concatBytes(body, joinLines([JSON.stringify({ kind: 'end', items: lines.length - 2, hash })]))
}

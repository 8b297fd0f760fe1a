/** A data directory as a side of a move. */
import { existsSync } from 'node:fs'
import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { openLevelStore } from '../../store/level-store.ts'
import { lockStateDir, type StateLock } from '../../store/lock.ts'
import { readSecretsFile, writeSecretsFile } from '../../store/secrets-file.ts'
import { createStateDir, statePaths, syncDirectory } from '../../store/state-dir.ts'
import type { ResumableStore } from '../../store/store.ts'
import { ObjectFiles } from '../objects/object-files.ts'
import { recordsOf } from '../records/records.ts'
import { NOTHING } from '../records/tally.ts'
import { MoveError } from './move.ts'
import type { MoveSide } from './side.ts'

const KEY = 'relay.key'
const UNFINISHED = '.moving'

/** @throws {MoveError} MOVE_EMPTY; {StoreError} STORE_LOCKED where a relay runs on it, and the other codes of the store */
export async function openDirectory(path: string): Promise<MoveSide> {
  if (!existsSync(statePaths(path).store))
    throw new MoveError('MOVE_EMPTY', `${path} is no data directory of a relay: name the one to move with --dir`)
  return await openSide(path, path)
}

/** Makes a directory, which gets its name at the end of the move. @throws {MoveError} MOVE_NOT_EMPTY; the codes of the store */
export async function makeDirectory(path: string): Promise<MoveSide> {
  if (existsSync(path) && (await readdir(path)).length > 0)
    throw new MoveError('MOVE_NOT_EMPTY', `${path} is not empty: name a directory that is not there yet with --dir`)
  const coming = join(dirname(path), basename(path) + UNFINISHED)
  // A move that did not end has left this.
  await rm(coming, { recursive: true, force: true })
  await mkdir(dirname(path), { recursive: true })
  return await openSide(coming, path)
}

async function openSide(path: string, finalPath: string): Promise<MoveSide> {
  await createStateDir(path, '--dir')
  const lock = await lockStateDir(path)
  try {
    const store = await openLevelStore(lock)
    return sideOf(store, await ObjectFiles.open(path), { path, finalPath, lock })
  } catch (error) {
    await lock.release()
    throw error
  }
}

interface Place {
  readonly path: string
  readonly finalPath: string
  readonly lock: StateLock
}

function sideOf(store: ResumableStore, files: ObjectFiles, { path, finalPath, lock }: Place): MoveSide {
  const { totals } = recordsOf(store)
  let isClosed = false
  const close = async (): Promise<void> => {
    if (isClosed) return
    isClosed = true
    await store.close()
    await lock.release()
  }
  return {
    files,
    records: (kind) => store.iterate({ prefix: `${kind}/` }),
    totals: async () => totals.get('all') ?? NOTHING,
    key: async () => (await readSecretsFile(join(path, KEY))) ?? null,
    put: (records) => store.commit(records),
    finish: async (sums, key) => {
      await store.commit([totals.put('all', sums)])
      if (key !== null) await writeSecretsFile(join(path, KEY), key)
      await close()
      await rename(path, finalPath)
      await syncDirectory(dirname(finalPath))
    },
    close,
  }
}

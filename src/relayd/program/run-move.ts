/** The command `move`: takes what a relay keeps from its data directory to a database, or back. */
import { makeDirectory, openDirectory } from '../move/level-side.ts'
import { moveAll } from '../move/move.ts'
import { openSource, openTarget } from '../move/postgres-side.ts'
import type { MoveSide } from '../move/side.ts'
import type { RelayDir } from './relay-dir.ts'

export interface MoveOptions {
  /** URL of the database. */
  readonly url: string
  /** Whether all goes to the database, or comes from it. */
  readonly isTo: boolean
}

/** @param dir the data directory, which a move from the database makes @returns the exit status */
export async function runMove({ url, isTo }: MoveOptions, dir: RelayDir): Promise<number> {
  const opened: MoveSide[] = []
  const open = async (side: Promise<MoveSide>): Promise<MoveSide> => {
    opened.push(await side)
    return opened.at(-1)!
  }
  try {
    const from = await open(isTo ? openDirectory(dir.path) : openSource(url))
    const to = await open(isTo ? openTarget(url) : makeDirectory(dir.path))
    const { records, objects } = await moveAll(from, to)
    console.log(`moved ${records} records and ${objects} objects, and compared them: both sides have the same`)
    console.log(isTo ? nextInDatabase(url, dir) : nextInDirectory(dir))
    return 0
  } finally {
    for (const side of opened) await side.close()
  }
}

function nextInDatabase(url: string, { path }: RelayDir): string {
  return `Next:
  1. Write "store: ${url}" into the configuration.
  2. Start the relay with the same data directory: its tokens stay there.
  3. Once it works, delete store, anchor, witness, objects and relay.key in ${path}.`
}

function nextInDirectory({ path }: RelayDir): string {
  return `Next:
  1. Take "store" out of the configuration.
  2. If the relay has tokens, copy the file tokens from its data directory until now to ${path}.
  3. Start the relay with --dir ${path}, as the user who owns that.
  4. Once it works, delete the database.`
}

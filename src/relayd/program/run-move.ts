/** The command `move`: takes what a relay keeps from its data directory to a database, or back. */
import { makeDirectory, openDirectory } from '../move/level-side.ts'
import { moveAll } from '../move/move.ts'
import { openDatabase } from '../move/postgres-side.ts'
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
    const from = await open(isTo ? openDirectory(dir.path) : openDatabase(url, false))
    const to = await open(isTo ? openDatabase(url, true) : makeDirectory(dir.path))
    const { records, objects } = await moveAll(from, to)
    console.log(`moved ${records} records and ${objects} objects, and compared them: both sides have the same`)
    const next = isTo ? `write "store: ${url}" into the configuration` : 'take "store" out of the configuration'
    console.log(`Next: ${next}, start the relay, and delete what it came from once it works.`)
    return 0
  } finally {
    for (const side of opened) await side.close()
  }
}

/** How a demo begins and ends: in a directory of its own, of which nothing stays, nor any process. */
import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { endAll } from './demo-stage.ts'
import { checkCount } from './demo-story.ts'

/** Plays a story to its end, and ends the process: with 1 if a check does not hold. @param prefix of the directory's name */
export async function playStory(prefix: string, play: (home: string) => Promise<void>): Promise<never> {
  try {
    // The socket's path must stay below 108 bytes, and the daemon refuses a link on the way.
    const home = realpathSync(mkdtempSync(join(tmpdir(), prefix)))
    // However this ends, no process and no file stays.
    process.once('exit', () => {
      endAll()
      rmSync(home, { recursive: true, force: true })
    })
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
    await play(home)
    console.log(`\nAll ${checkCount()} checks hold.`)
  } catch (error) {
    console.error(`\ndemo: ${error instanceof Error ? error.message : String(error)}`)
    process.exit(1)
  }
  process.exit(0)
}

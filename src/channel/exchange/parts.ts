/** Parts of contents of the peer, as one step or one turn brings them. */
import { concatBytes } from '../../core/encoding/bytes.ts'
import type { Write } from './channel.ts'

export type Part = Extract<Write, { readonly write: 'part' }>

/**
 * Joins the parts of each content: a peer who sends a content byte by byte would else fill the disk with records.
 * @param parts as they came, so that the parts of a content follow each other without a gap
 * @param maxBytes of one result, unless a single part has more
 */
export function joinedParts(parts: readonly Part[], maxBytes: number = Infinity): Part[] {
  const runs: Part[][] = []
  let runBytes = 0
  for (const part of parts) {
    const run = runs.at(-1)
    runBytes += part.bytes.length
    if (run?.[0]!.number === part.number && runBytes <= maxBytes) {
      run.push(part)
      continue
    }
    runs.push([part])
    runBytes = part.bytes.length
  }
  return runs.map((run) =>
    run.length === 1 ? run[0]! : { ...run[0]!, bytes: concatBytes(...run.map(({ bytes }) => bytes)) },
  )
}

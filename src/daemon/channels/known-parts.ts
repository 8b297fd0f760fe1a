/** Where the parts of contents begin on disk, as far as they were read: whoever reads on, or has read a content, looks at no part again. */
import type { InPart } from './records/contents.ts'
import type { End } from './ends/end.ts'

const MAX_CONTENTS = 128 // sanity: of one end, a little more than an app reads in one call; a content of 64 MiB has 350 parts or more

/** The parts of one content, from its begin. They follow each other without a gap. */
export class KnownParts {
  /** The offset of each part. */
  readonly starts: number[] = []
  /** Where the last of them ends. */
  endAt = 0
  /** Whether these are all. */
  isWhole = false

  /** Where to read for the bytes from an offset on: at the part that has it, or after all parts that are known. Beyond a whole content, at its last part. */
  startOf(offset: number): number {
    if (offset >= this.endAt && !this.isWhole) return this.endAt
    return this.starts.findLast((start) => start <= offset)!
  }

  /** Takes a part that was read. @param at its offset */
  note(at: number, { bytes, totalBytes }: InPart): void {
    if (this.isWhole || at !== this.endAt) return
    this.starts.push(at)
    this.endAt = at + bytes.length
    this.isWhole = this.endAt >= totalBytes
  }
}

const CONTENTS = new WeakMap<End, Map<number, KnownParts>>()

/** The parts of a content that is on disk. */
export function knownParts(end: End, number: number): KnownParts {
  const contents = CONTENTS.get(end) ?? new Map<number, KnownParts>()
  CONTENTS.set(end, contents)
  const parts = contents.get(number) ?? new KnownParts()
  contents.set(number, parts)
  if (contents.size > MAX_CONTENTS) contents.delete(contents.keys().next().value!)
  return parts
}

/** The contents up to this one are deleted. */
export function forgetParts(end: End, upTo: number): void {
  const contents = CONTENTS.get(end)
  for (const number of contents?.keys() ?? []) if (number <= upTo) contents!.delete(number)
}

/** The rules of every storage of channels: that of the daemon, and that of web pages. */
import { expect, test } from 'vitest'
import { portableBoxes } from '../../src/crypto/portable-boxes.ts'
import { CANARY, diskStory, disksOf, linesOf } from './disk-story.ts'

/** A storage that plays the story. Disks are lines of {@link linesOf}. */
export interface DiskPlayer {
  /** Writes each step in one commit. @returns the disk after each, and at the end the disk after one more start */
  play(): Promise<readonly string[][]>
  /** Writes a step again, with a write that fails after it. @returns the disk before and after */
  failToWrite(): Promise<readonly [string[], string[]]>
  /** Puts the sealed bytes of one frame in the place of another. @returns whether the other still opens */
  opensElsewhere(): Promise<boolean>
  /** @returns all that is on disk, as one text of bytes */
  raw(): Promise<string>
}

/** @param start a storage without channels */
export function storageContract(name: string, start: () => Promise<DiskPlayer>, timeoutMs?: number): void {
  test(
    `${name} has after each commit what its step has named, all or nothing, sealed for its place`,
    async () => {
      const steps = diskStory(portableBoxes)
      const expected = disksOf(steps).map(linesOf)
      const kinds = new Set(steps.flatMap(({ writes }) => writes.map(({ write }) => write)))
      expect([...kinds].toSorted()).toEqual([
        'content',
        'contentsDone',
        'early',
        'earlyDone',
        'frame',
        'framesDone',
        'part',
      ])
      const player = await start()
      const disks = await player.play()
      expect(disks).toEqual([...expected, expected.at(-1)])
      const [before, after] = await player.failToWrite()
      expect(after).toEqual(before)
      expect(await player.raw()).not.toContain(CANARY)
      expect(await player.opensElsewhere()).toBe(false)
    },
    timeoutMs,
  )
}

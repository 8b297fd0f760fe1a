/**
 * A folder that a program copies between two machines, as such programs do: file by file, in any order, now and then half of one, and with the
 * removals. Each subdirectory is copied from the side of its writer.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { tempDir } from './temp-dir.ts'

interface Change {
  readonly from: string
  readonly to: string
  readonly name: string
}

export class CopiedFolder {
  readonly sides: readonly [string, string]
  /** Subdirectories with the side of their writer. */
  readonly #writers = new Map<string, 0 | 1>()

  constructor() {
    const parent = tempDir()
    this.sides = [mkdtempSync(join(parent, 'one-')), mkdtempSync(join(parent, 'two-'))]
  }

  belongs(subdirectory: string, side: 0 | 1): void {
    this.#writers.set(subdirectory, side)
  }

  /** Does one of the changes that are due. @returns false if none is */
  copyOne(which: number, isHalf: boolean): boolean {
    const changes = this.#changes()
    const change = changes[which % Math.max(1, changes.length)]
    if (change === undefined) return false
    const { from, to, name } = change
    const bytes = read(join(from, name))
    if (bytes === null) rmSync(join(to, name), { force: true })
    else writeFileSync(join(to, name), isHalf ? bytes.subarray(0, bytes.length >> 1) : bytes)
    return true
  }

  /** Does all that is due. */
  copyAll(): void {
    while (this.copyOne(0, false));
  }

  /** Somebody empties one side. */
  empty(side: 0 | 1): void {
    for (const name of readdirSync(this.sides[side])) rmSync(join(this.sides[side], name), { recursive: true })
  }

  /** Somebody removes a file of a writer, or writes something else into it. */
  spoil(which: number, isRemoved: boolean): void {
    const paths = [...this.#writers].flatMap(([subdirectory, side]) => {
      const directory = join(this.sides[side], subdirectory)
      return list(directory).map((name) => join(directory, name))
    })
    const path = paths[which % Math.max(1, paths.length)]
    if (path === undefined) return
    if (isRemoved) rmSync(path)
    else writeFileSync(path, 'something else')
  }

  #changes(): Change[] {
    return [...this.#writers].flatMap(([subdirectory, side]) => {
      const [from, to] = [join(this.sides[side], subdirectory), join(this.sides[1 - side]!, subdirectory)]
      mkdirSync(to, { recursive: true })
      const names = new Set([...list(from), ...list(to)])
      return [...names].toSorted().flatMap((name) => {
        const [before, after] = [read(join(to, name)), read(join(from, name))]
        const isSame = before !== null && after !== null && before.equals(after)
        return isSame || (before === null && after === null) ? [] : [{ from, to, name }]
      })
    })
  }
}

function list(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}

function read(path: string): Buffer | null {
  try {
    return readFileSync(path)
  } catch {
    return null
  }
}

/** Finds the Tox clients that have a watched profile open, at most every few seconds. */
import { realpath } from 'node:fs/promises'
import { clientsOn } from '../../tox/profile/clients.ts'
import type { Machine } from '../../tox/profile/lock-file.ts'

const HOLDS_FOR_SEC = 5 // sanity: apps may ask all the time, and each look reads all processes of the machine

export class RunningClients {
  readonly #nowSec: () => number
  readonly #machine: Machine | undefined
  #last: { readonly atSec: number; readonly byPath: Promise<ReadonlyMap<string, string>> } | null = null

  constructor(nowSec: () => number, machine: Machine | undefined) {
    this.#nowSec = nowSec
    this.#machine = machine
  }

  /** The program that has each profile open, as far as this daemon can see it. */
  async on(paths: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const nowSec = this.#nowSec()
    const ageSec = nowSec - (this.#last?.atSec ?? 0)
    if (this.#last === null || ageSec < 0 || ageSec > HOLDS_FOR_SEC) {
      this.#last = { atSec: nowSec, byPath: this.#look(paths) }
    }
    return await this.#last.byPath
  }

  async #look(paths: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const found = new Map<string, string>()
    for (const path of paths) {
      const resolved = await realpath(path).catch(() => path)
      const [client] = await clientsOn(resolved, this.#machine).catch(() => [])
      if (client !== undefined) found.set(path, client.program)
    }
    return found
  }
}

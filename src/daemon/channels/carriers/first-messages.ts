/** First messages that lie in folders. All open invites read the same folder, so whoever asks at the same time shares one listing. */
import { MAX_FOLDER_NAMES, namesIn } from './folder-files.ts'
import { parseFirstName } from './folder-names.ts'

/** Names of first messages in a folder. */
export interface Listed {
  /** By the subdirectory of the host that they are for. */
  readonly byHost: ReadonlyMap<string, readonly string[]>
  /** By the subdirectory of the guest that has left them. */
  readonly byGuest: ReadonlyMap<string, readonly string[]>
}

export class FirstMessages {
  readonly #running = new Map<string, Promise<Listed>>()
  readonly #waiting = new Map<string, Promise<Listed>>()

  /**
   * Lists a folder. The listing begins after the call, so it has what lay there by then.
   * @param folder its absolute path
   * @throws what the system throws
   */
  list(folder: string): Promise<Listed> {
    const waiting = this.#waiting.get(folder) ?? this.#listNext(folder)
    this.#waiting.set(folder, waiting)
    return waiting
  }

  async #listNext(folder: string): Promise<Listed> {
    // Its failure is for those who asked before.
    await this.#running.get(folder)?.catch(() => undefined)
    this.#waiting.delete(folder)
    const running = listed(folder)
    this.#running.set(folder, running)
    try {
      return await running
    } finally {
      this.#running.delete(folder)
    }
  }
}

async function listed(folder: string): Promise<Listed> {
  const [byHost, byGuest] = [new Map<string, string[]>(), new Map<string, string[]>()]
  for (const name of await namesIn(folder, MAX_FOLDER_NAMES)) {
    const first = parseFirstName(name)
    if (first === null) continue
    add(byHost, first.host, name)
    add(byGuest, first.guest, name)
  }
  return { byHost, byGuest }
}

function add(names: Map<string, string[]>, key: string, name: string): void {
  const known = names.get(key)
  if (known === undefined) names.set(key, [name])
  else known.push(name)
}

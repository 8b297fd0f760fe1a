/** Stories of announcements: real daemons with personad-net, on one net of nodes of bittorrent-dht and libtorrent. All of it on loopback. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ChainPlace } from '../../src/core/announce/judge.ts'
import { placeShown, walkForwards, type WalkResult } from '../../src/core/announce/walk.ts'
import { judgeStatus, type VerifiedBlob } from '../../src/core/verify.ts'
import type { DhtClient } from '../../src/dht/client.ts'
import { DhtPeers, libtorrentAbsence } from './dht-peers.ts'
import { engine } from './person.ts'
import { Home } from './persona.ts'

const PLAIN_NODES = 4
const TORRENT_NODES = 3
export const LIBTORRENT_ABSENCE: string | null = libtorrentAbsence()

/** The nodes of one file of stories. Nodes of libtorrent are among them where it is installed. */
export class AnnounceNet {
  readonly plain: DhtPeers
  readonly torrents: DhtPeers | null
  readonly #ends: readonly (() => void)[]

  private constructor(plain: DhtPeers, torrents: DhtPeers | null, ends: readonly (() => void)[]) {
    this.plain = plain
    this.torrents = torrents
    this.#ends = ends
  }

  static async start(): Promise<AnnounceNet> {
    const ends: (() => void)[] = []
    const atEnd = (end: () => void): void => void ends.push(end)
    const plain = await DhtPeers.start('bittorrent-dht', PLAIN_NODES, [], { atEnd, heedReadOnly: true })
    if (LIBTORRENT_ABSENCE !== null) return new AnnounceNet(plain, null, ends)
    return new AnnounceNet(plain, await DhtPeers.start('libtorrent', TORRENT_NODES, plain.ports, { atEnd }), ends)
  }

  /** All of them hold an item of a table. */
  get nodes(): number {
    return this.ports.length
  }

  /** Those of libtorrent alone hold a forward: its seq has 63 bits. */
  get forwardNodes(): number {
    return this.torrents?.ports.length ?? 0
  }

  get ports(): number[] {
    return [...this.plain.ports, ...(this.torrents?.ports ?? [])]
  }

  close(): void {
    for (const end of this.#ends) end()
  }

  /** A home whose daemon knows these nodes. */
  home(): Home {
    const home = new Home()
    mkdirSync(join(home.directory, 'config'))
    const bootstrap = this.ports.map((port) => `"127.0.0.1:${port}"`).join(', ')
    const config = `net:\n  bootstrap: [${bootstrap}]\n  private: [127.0.0.1]\n`
    writeFileSync(join(home.directory, 'config/personad.yaml'), config, { mode: 0o600 })
    return home
  }
}

/** The status message that friends see now. */
export async function statusOf(home: Home): Promise<string> {
  return ((await home.json(['blob'])) as { text: string }).text
}

/** The table in a status message. */
export function tableIn(status: string): VerifiedBlob {
  return judgeStatus(status, engine).blob!
}

/** Where whoever saw this status message looks. */
export function placeIn(status: string): ChainPlace {
  return placeShown(tableIn(status), engine)
}

/** A walk by a reader of the test's own, who has no daemon. */
export async function walkOn(
  client: DhtClient,
  start: ChainPlace,
  deviceKeys: readonly Uint8Array[] = [],
  nowSec: number = Date.now() / 1000,
): Promise<WalkResult> {
  const lookUp = async (place: Parameters<DhtClient['get']>[0]) =>
    (await client.get(place)).values.map(({ signed }) => signed)
  return await walkForwards(start, lookUp, { engine, deviceKeys }, nowSec)
}

/** A carrier in memory, for daemons of one process. It can lose, double and reorder, fail and go away, as a real one does. */
import { formatHex } from '../../src/core/encoding/bytes.ts'
import type { Address, Intake } from '../../src/channel/invite/address.ts'
import type { Arrival, Carrier, Line, OwnIntake, OwnPlace, Watch, Watched } from '../../src/channel/carriers/carrier.ts'
import { CarrierError } from '../../src/channel/carriers/errors.ts'
import type { Ways } from '../../src/daemon/channels/ends/means.ts'
import { exportBoxSecret, generateBoxKeyPair } from '../../src/seal/key-pair.ts'

interface Box {
  readonly data: { readonly at: number; readonly bytes: Uint8Array }[]
  isRetired: boolean
}

/** All boxes, and the daemons that watch them. */
export class MemoryPost {
  readonly boxes: Map<string, Box> = new Map()
  readonly carriers: Set<MemoryCarrier> = new Set()
  /** Everything that was left, in order. */
  readonly sent: { readonly url: string; readonly bytes: Uint8Array }[] = []
  isAway = false
  /** How often a message is left: 0 loses it. */
  copies: (bytes: Uint8Array) => number = () => 1
  /** Whether a message goes before the one that came last. */
  swaps: () => boolean = () => false
  #count = 0

  leave(url: string, bytes: Uint8Array): 'left' | 'used' {
    const box = this.boxes.get(url)
    if (box === undefined) throw away()
    if (box.isRetired) return 'used'
    this.sent.push({ url, bytes })
    for (let copy = this.copies(bytes); copy > 0; copy--) {
      box.data.push({ at: ++this.#count, bytes: bytes.slice() })
      const [last, before] = [box.data.length - 1, box.data.length - 2]
      if (before >= 0 && this.swaps()) {
        const [a, b] = [box.data[before]!, box.data[last]!]
        box.data.splice(before, 2, { ...b, at: a.at }, { ...a, at: b.at })
      }
    }
    for (const carrier of this.carriers) carrier.news(url)
    return 'left'
  }
}

function away(): CarrierError {
  return new CarrierError('CARRIER_AWAY', 'the post is away', { hint: 'wait' })
}

export class MemoryCarrier implements Carrier, Ways {
  readonly name = 'relay'
  readonly limits = { maxDataBytes: 12_288, latency: 'instant' } as const
  readonly post: MemoryPost
  readonly all: readonly Carrier[] = [this]
  #lines: () => readonly Watched[] = () => []
  #onNews: (watched: Watched) => void = () => {}

  constructor(post: MemoryPost) {
    this.post = post
    post.carriers.add(this)
  }

  of(url: string): Carrier | null {
    return this.serves(url) ? this : null
  }

  serves(url: string): boolean {
    return url.startsWith('https://box-')
  }

  async openPlace(_over: readonly string[] | null, _peer: Address | null): Promise<OwnPlace> {
    const pair = await generateBoxKeyPair('x25519', true)
    const pub = pair.key.bytes
    return { address: { pub, where: [await this.open('', pub)] }, secret: await exportBoxSecret(pair) }
  }

  open(_at: string, pub: Uint8Array): Promise<Intake> {
    const url = `https://box-${formatHex(pub).slice(0, 16).toLowerCase()}.example/`
    this.post.boxes.set(url, { data: [], isRetired: false })
    return Promise.resolve({ url, ext: null })
  }

  async send(_line: Line, to: Intake, data: Uint8Array): Promise<'left' | 'used'> {
    await Promise.resolve()
    if (this.post.isAway) throw away()
    return this.post.leave(to.url, data)
  }

  async receive(_line: Line, own: OwnIntake, after: string): Promise<readonly Arrival[]> {
    await Promise.resolve()
    if (this.post.isAway) throw away()
    const from = after === '' ? 0 : Number(after)
    const data = this.post.boxes.get(own.url)?.data ?? []
    return data
      .filter(({ at }) => at > from)
      .slice(0, 32)
      .map(({ at, bytes }) => ({ data: bytes, cursor: String(at) }))
  }

  processed(_line: Line, own: OwnIntake, cursor: string): Promise<void> {
    const box = this.post.boxes.get(own.url)
    box?.data.splice(0, box.data.findLastIndex(({ at }) => at <= Number(cursor)) + 1)
    return Promise.resolve()
  }

  settled(): Promise<void> {
    return Promise.resolve()
  }

  watch(lines: () => readonly Watched[], onNews: (watched: Watched) => void, signal: AbortSignal): Watch {
    this.#lines = lines
    this.#onNews = onNews
    const known = new Set<string>()
    const changed = (): void => {
      if (signal.aborted) return
      for (const watched of this.#lines()) {
        if (known.has(watched.own.url)) continue
        known.add(watched.own.url)
        onNews(watched)
      }
    }
    signal.addEventListener('abort', () => {
      this.#lines = () => []
    })
    changed()
    return { changed }
  }

  news(url: string): void {
    for (const watched of this.#lines()) if (watched.own.url === url) this.#onNews(watched)
  }

  retire(_line: Line, own: OwnIntake): Promise<void> {
    const box = this.post.boxes.get(own.url)
    if (box !== undefined) box.isRetired = true
    return Promise.resolve()
  }

  forget(own: OwnIntake): Promise<void> {
    this.post.boxes.delete(own.url)
    return Promise.resolve()
  }
}

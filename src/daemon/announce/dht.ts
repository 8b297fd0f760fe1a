/** The DHT as announcements use it, and what that costs. */
import type { SignedValue, ValuePlace } from '../../core/announce/signed-value.ts'
import type { GetReport, OrderReport, PutReport } from '../../dht/order.ts'

/** personad-net carries the orders out (daemon/net/net.ts). */
export interface Dht {
  get(place: ValuePlace): Promise<GetReport>
  put(signed: SignedValue): Promise<PutReport>
}

const DAY_SEC = 86_400

/** Bytes sent and received, by day of UTC. */
export class Traffic {
  readonly #nowSec: () => number
  #day = 0
  #today = 0
  #yesterday = 0

  constructor(nowSec: () => number) {
    this.#nowSec = nowSec
  }

  add({ sentBytes, receivedBytes }: Pick<OrderReport, 'sentBytes' | 'receivedBytes'>): void {
    this.#turn()
    this.#today += sentBytes + receivedBytes
  }

  /** Bytes since midnight, and of the day before. */
  get days(): { readonly today: number; readonly yesterday: number } {
    this.#turn()
    return { today: this.#today, yesterday: this.#yesterday }
  }

  #turn(): void {
    const day = Math.floor(this.#nowSec() / DAY_SEC)
    if (day === this.#day) return
    this.#yesterday = day === this.#day + 1 ? this.#today : 0
    this.#today = 0
    this.#day = day
  }
}

/** A socket that sends all that is written in one step of the program together. The client writes each statement by itself, and each write wakes the server. */
import { Socket } from 'node:net'

type Sent = (error?: Error | null) => void

export class GatheringSocket extends Socket {
  #isGathering = false

  override write(data: Uint8Array | string, sent?: Sent): boolean
  override write(data: Uint8Array | string, encoding?: BufferEncoding, sent?: Sent): boolean
  override write(data: Uint8Array | string, encoding?: BufferEncoding | Sent, sent?: Sent): boolean {
    this.#gather()
    return typeof encoding === 'string' ? super.write(data, encoding, sent) : super.write(data, encoding ?? sent)
  }

  #gather(): void {
    if (this.#isGathering) return
    this.#isGathering = true
    this.cork()
    process.nextTick(() => {
      this.#isGathering = false
      this.uncork()
    })
  }
}

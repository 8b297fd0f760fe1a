/** The frames on their way to one client. Those that are added together go out in one write. */
import type { Socket } from 'node:net'
import { ASCII } from '../wire/frame.ts'

export interface OutboxWatcher {
  /** @param hadReadAll the client had read everything before */
  handedOver(hadReadAll: boolean): void
  /** The client has read something. */
  written(): void
}

export class Outbox {
  readonly #socket: Socket
  readonly #watcher: OutboxWatcher
  readonly #onWritten: () => void
  #out = ''
  /** The bytes of `#out`, if it is one frame that came with its bytes. */
  #bytes: Uint8Array | null = null

  constructor(socket: Socket, watcher: OutboxWatcher) {
    this.#socket = socket
    this.#watcher = watcher
    this.#onWritten = () => watcher.written()
  }

  /** UTF-16 units or bytes that the client has not read. */
  get pending(): number {
    return this.#socket.writableLength + this.#out.length
  }

  /** @param bytes the frame in UTF-8, for a frame that goes to many clients: so it is encoded once. They must not change */
  add(frame: string, bytes: Uint8Array | null = null): void {
    if (!this.#socket.writable) return
    if (this.#out === '') queueMicrotask(() => this.flush())
    this.#bytes = this.#out === '' ? bytes : null
    this.#out += frame
  }

  flush(): void {
    if (this.#out === '' || !this.#socket.writable) return
    const [out, bytes] = [this.#out, this.#bytes]
    this.clear()
    const hadReadAll = this.#socket.writableLength === 0
    if (bytes !== null) this.#socket.write(bytes, this.#onWritten)
    // latin1 gives the same bytes for ASCII, and Node does not have to encode each character.
    else this.#socket.write(out, ASCII.test(out) ? 'latin1' : 'utf8', this.#onWritten)
    this.#watcher.handedOver(hadReadAll)
  }

  /** Drops what was not handed over. */
  clear(): void {
    this.#out = ''
    this.#bytes = null
  }
}

/** The frames on their way to one client. All of one turn of the event loop go out in one write (docs/ipc.md, section 1). */
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

  constructor(socket: Socket, watcher: OutboxWatcher) {
    this.#socket = socket
    this.#watcher = watcher
    this.#onWritten = () => watcher.written()
  }

  /** UTF-16 units or bytes that the client has not read. */
  get pending(): number {
    return this.#socket.writableLength + this.#out.length
  }

  add(frame: string): void {
    if (!this.#socket.writable) return
    if (this.#out === '') process.nextTick(() => this.flush())
    this.#out += frame
  }

  flush(): void {
    if (this.#out === '' || !this.#socket.writable) return
    const out = this.#out
    this.#out = ''
    const hadReadAll = this.#socket.writableLength === 0
    // latin1 gives the same bytes for ASCII, and Node does not have to encode each character.
    this.#socket.write(out, ASCII.test(out) ? 'latin1' : 'utf8', this.#onWritten)
    this.#watcher.handedOver(hadReadAll)
  }

  /** Drops what was not handed over. */
  clear(): void {
    this.#out = ''
  }
}

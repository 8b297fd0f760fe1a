/** One connection of WebRTC with one data channel. Whatever the library does, a connection ends with one call of `closed`. */
import { parseHex } from '../../core/encoding/bytes.ts'
import type { Connection, ConnectionListener } from './connections.ts'
import type { LibraryChannel, LibraryConnection } from './library.ts'

export const MAX_SDP_CHARS = 4096 // format: some 30 candidates; it fits a control text, and M1 beside a card of usual size
export const MAX_MESSAGE_BYTES = 12_001 // format: docs/channel.md, section 14
export const GATHER_MS = 2000 // format: docs/channel.md, section 14; a STUN server that is away must not hold an offer back
export const LABEL = 'personad' // sanity: names the data channel, and nobody reads it
const MAX_BUFFERED_BYTES = 4_194_304 // sanity: five windows of frames; a peer who reads no more is cut off
/** States of a connection that is of no use any more. */
const OVER: ReadonlySet<string> = new Set(['disconnected', 'failed', 'closed'])

export interface LaterClock {
  /** Runs something later. @returns a function that cancels it */
  after(ms: number, run: () => void): () => void
}

export class DataConnection implements Connection {
  readonly #listener: ConnectionListener
  readonly #connection: LibraryConnection
  // The library frees whatever no variable holds.
  #channel: LibraryChannel | null = null
  #isDescribed = false
  #isConnected = false
  #isClosed = false
  readonly #cancelGathering: () => void

  /**
   * @param connection a new connection of the library, which belongs to this one from now on
   * @param sdp the offer of the peer; null to make one
   */
  constructor(connection: LibraryConnection, sdp: string | null, listener: ConnectionListener, clock: LaterClock) {
    this.#listener = listener
    this.#connection = connection
    this.#cancelGathering = clock.after(GATHER_MS, () => this.#guard(() => this.#describe()))
    this.#connection.onGatheringStateChange((state) => {
      if (state === 'complete') this.#guard(() => this.#describe())
    })
    this.#connection.onStateChange((state) => {
      if (OVER.has(state)) this.close()
    })
    this.#connection.onDataChannel((channel) => this.#guard(() => this.#take(channel)))
    this.#guard(() => {
      if (sdp === null) this.#take(this.#connection.createDataChannel(LABEL))
      else this.#connection.setRemoteDescription(sdp, 'offer')
    })
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** The answer of the peer. */
  answer(sdp: string): void {
    this.#guard(() => this.#connection.setRemoteDescription(sdp, 'answer'))
  }

  send(message: Uint8Array): void {
    this.#guard(() => {
      if (!this.#isConnected) return
      this.#channel!.sendMessageBinary(message)
      if (this.#channel!.bufferedAmount() > MAX_BUFFERED_BYTES) this.close()
    })
  }

  /** Ends it. Has no effect the second time. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#cancelGathering()
    try {
      this.#channel?.close()
      this.#connection.close()
    } catch {
      // It is closed already.
    }
    this.#listener.closed()
  }

  /** An error in a callback of the library would end the program. */
  #guard(run: () => void): void {
    if (this.#isClosed) return
    try {
      run()
    } catch {
      this.close()
    }
  }

  #describe(): void {
    if (this.#isDescribed) return
    const description = this.#connection.localDescription()
    if (description === null || description.sdp.length > MAX_SDP_CHARS) return this.close()
    this.#isDescribed = true
    this.#cancelGathering()
    this.#listener.described(description.sdp)
  }

  #take(channel: LibraryChannel): void {
    // The peer opens one channel and no other.
    if (this.#channel !== null) return channel.close()
    this.#channel = channel
    channel.onOpen(() => this.#guard(() => this.#open(channel)))
    channel.onClosed(() => this.close())
    channel.onError(() => this.close())
    if (channel.isOpen()) this.#open(channel)
  }

  #open(channel: LibraryChannel): void {
    if (this.#isConnected) return
    const { algorithm, value } = this.#connection.remoteFingerprint()
    const fingerprint = algorithm === 'sha-256' ? parseHex(value.replaceAll(':', '')) : null
    if (fingerprint === null) return this.close()
    this.#isConnected = true
    this.#listener.connected(fingerprint)
    channel.onMessage((message) =>
      this.#guard(() => {
        if (typeof message === 'string' || message.byteLength > MAX_MESSAGE_BYTES) return this.close()
        this.#listener.message(new Uint8Array(message))
      }),
    )
  }
}

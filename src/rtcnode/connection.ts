/** One connection of WebRTC with one data channel. Whatever the library does, a connection ends with one call of `onClosed`. */
import type { Library, LibraryChannel, LibraryConnection } from './library.ts'
import { MAX_MESSAGE_BYTES, MAX_SDP_CHARS } from './protocol.ts'
import type { RtcSettings } from './settings.ts'

export const GATHER_MS = 2000 // format: docs/channel.md, section 14; a STUN server that is away must not hold an offer back
const MAX_BUFFERED_BYTES = 4_194_304 // sanity: five windows of frames; a peer who reads no more is cut off
const LABEL = 'personad'
/** States of a connection that is of no use any more. */
const OVER: ReadonlySet<string> = new Set(['disconnected', 'failed', 'closed'])

export interface ConnectionHooks {
  onDescribed(sdp: string): void
  /** @param fingerprint SHA-256 of the certificate of the peer, in hex */
  onConnected(fingerprint: string): void
  onMessage(message: Uint8Array): void
  onClosed(): void
}

export class Connection {
  readonly #hooks: ConnectionHooks
  readonly #connection: LibraryConnection
  // The library frees whatever no variable holds.
  #channel: LibraryChannel | null = null
  #isDescribed = false
  #isConnected = false
  #isClosed = false
  readonly #cancelGathering: () => void

  /**
   * @param sdp the offer of the peer; null to make one
   * @throws errors of the library, such as for a STUN server that it does not know how to ask
   */
  constructor(library: Library, { ice, address }: RtcSettings, sdp: string | null, hooks: ConnectionHooks) {
    this.#hooks = hooks
    this.#connection = new library.PeerConnection(LABEL, {
      iceServers: ice,
      maxMessageSize: MAX_MESSAGE_BYTES,
      ...(address === null ? {} : { bindAddress: address }),
    })
    const timer = setTimeout(() => this.#guard(() => this.#describe()), GATHER_MS)
    this.#cancelGathering = () => clearTimeout(timer)
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
  takeAnswer(sdp: string): void {
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
    this.#hooks.onClosed()
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
    this.#hooks.onDescribed(description.sdp)
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
    if (algorithm !== 'sha-256') return this.close()
    this.#isConnected = true
    this.#hooks.onConnected(value.replaceAll(':', '').toUpperCase())
    channel.onMessage((message) =>
      this.#guard(() => {
        if (typeof message === 'string' || message.byteLength > MAX_MESSAGE_BYTES) return this.close()
        this.#hooks.onMessage(new Uint8Array(message))
      }),
    )
  }
}

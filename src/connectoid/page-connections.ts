/** Connections of WebRTC in a page: the browser's RTCPeerConnection, as the direct way needs it (docs/channel.md, section 14). */
import { fingerprintOf } from '../channel/direct/signal.ts'
import { DataConnection, type LaterClock } from '../channel/rtc/connection.ts'
import type { Connection, Connections } from '../channel/rtc/connections.ts'
import type { LibraryChannel, LibraryConnection } from '../channel/rtc/library.ts'
import { formatHex } from '../core/encoding/bytes.ts'
import { portableBoxes } from '../crypto/portable-boxes.ts'
import type { Browser, IceServer, RtcChannel, RtcConnection } from './browser.ts'
import { ConnectoidError } from './errors.ts'

/** A connection that could not be made. */
const NONE: Connection = { answer: () => {}, send: () => {}, close: () => {} }

/**
 * @param ice servers that say under which address this browser is seen
 * @throws {ConnectoidError} UNSUPPORTED | BAD_ICE
 */
export function pageConnections(
  { RTCPeerConnection }: Pick<Browser, 'RTCPeerConnection'>,
  ice: readonly IceServer[],
  clock: LaterClock,
): Connections {
  if (RTCPeerConnection === undefined)
    throw new ConnectoidError('UNSUPPORTED', 'this browser makes no direct connections', {
      hint: 'open without the option direct',
    })
  const make = (): RtcConnection => new RTCPeerConnection({ iceServers: ice })
  try {
    make().close()
  } catch (cause) {
    throw new ConnectoidError('BAD_ICE', 'the browser does not take the servers for direct connections', {
      hint: 'a server looks like { urls: "stun:stun.example:3478" }',
      cause,
    })
  }
  return {
    connect: (sdp, listener) => {
      let connection: RtcConnection
      try {
        connection = make()
      } catch {
        // A browser makes some hundred at a time.
        listener.closed()
        return NONE
      }
      return new DataConnection(new BrowserConnection(connection), sdp, listener, clock)
    },
  }
}

/** A later refusal by the browser ends the connection with the state `failed`. */
class BrowserConnection implements LibraryConnection {
  readonly #connection: RtcConnection
  #onState: (state: string) => void = () => {}

  constructor(connection: RtcConnection) {
    this.#connection = connection
  }

  close(): void {
    this.#connection.close()
  }

  setRemoteDescription(sdp: string, type: 'offer' | 'answer'): void {
    void this.#orFail(async () => {
      await this.#connection.setRemoteDescription({ type, sdp })
      if (type === 'offer') await this.#connection.setLocalDescription()
    })
  }

  localDescription(): { readonly sdp: string } | null {
    return this.#connection.localDescription
  }

  remoteFingerprint(): { readonly algorithm: string; readonly value: string } {
    const [certificate] = this.#connection.sctp?.transport.getRemoteCertificates?.() ?? []
    // A browser that shows no certificate has itself compared it with the description, which came sealed.
    const fingerprint =
      certificate === undefined
        ? fingerprintOf(this.#connection.remoteDescription?.sdp ?? '')
        : portableBoxes.sha256(new Uint8Array(certificate))
    return { algorithm: 'sha-256', value: fingerprint === null ? '-' : formatHex(fingerprint) }
  }

  createDataChannel(label: string): LibraryChannel {
    const channel = this.#connection.createDataChannel(label)
    void this.#orFail(() => this.#connection.setLocalDescription())
    return channelOf(channel)
  }

  onDataChannel(run: (channel: LibraryChannel) => void): void {
    this.#connection.addEventListener('datachannel', ({ channel }) => run(channelOf(channel)))
  }

  onStateChange(run: (state: string) => void): void {
    this.#onState = run
    this.#connection.addEventListener('connectionstatechange', () => run(this.#connection.connectionState))
  }

  onGatheringStateChange(run: (state: string) => void): void {
    this.#connection.addEventListener('icegatheringstatechange', () => run(this.#connection.iceGatheringState))
  }

  async #orFail(work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch {
      this.#onState('failed')
    }
  }
}

function channelOf(channel: RtcChannel): LibraryChannel {
  channel.binaryType = 'arraybuffer'
  return {
    close: () => channel.close(),
    isOpen: () => channel.readyState === 'open',
    sendMessageBinary: (message) => channel.send(message),
    bufferedAmount: () => channel.bufferedAmount,
    onOpen: (run) => channel.addEventListener('open', run),
    onClosed: (run) => channel.addEventListener('close', run),
    onError: (run) => channel.addEventListener('error', run),
    onMessage: (run) => channel.addEventListener('message', ({ data }) => run(data)),
  }
}

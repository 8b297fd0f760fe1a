/** Connections of WebRTC, as an end of a channel needs them (docs/channel.md, section 14). A page makes them itself, and personad-rtc those of a daemon. */

/** Whoever wants a connection hears of it here. `closed` is the last call. */
export interface ConnectionListener {
  /** @param sdp the own description, with all candidates that were found in time */
  described(sdp: string): void
  /** @param fingerprint SHA-256 of the certificate of the peer, 32 bytes */
  connected(fingerprint: Uint8Array): void
  message(message: Uint8Array): void
  closed(): void
}

/** No call fails: a connection that cannot do what it should is closed. */
export interface Connection {
  answer(sdp: string): void
  send(message: Uint8Array): void
  close(): void
}

export interface Connections {
  /** @param sdp the offer of the peer; null to make one */
  connect(sdp: string | null, listener: ConnectionListener): Connection
}

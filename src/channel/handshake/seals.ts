/** The seals of a handshake, as the caller hands them in: HPKE (docs/channel.md, section 3). They are asynchronous in every engine of the web. */

/** A label of a seal: channel-m1, channel-m2 or channel-used. */
export type HandshakeLabel = 'channel-m1' | 'channel-m2' | 'channel-used'

export interface SealWishes {
  readonly label: HandshakeLabel
  /** Also the name of the pre-shared key. Never empty. */
  readonly aad: Uint8Array
  /** 32 bytes; null for base mode. */
  readonly psk: Uint8Array | null
}

export interface Sealed {
  /** One-time key || ciphertext. */
  readonly bytes: Uint8Array
  /** The secret of both sides, 32 bytes, exported under channel-export. */
  readonly exporter: Uint8Array
}

export interface Opened {
  readonly plain: Uint8Array
  readonly exporter: Uint8Array
}

/** Seals to the key of an address. @returns null when nothing can be sealed to the key */
export type SealTo = (pub: Uint8Array, wishes: SealWishes, plain: Uint8Array) => Promise<Sealed | null>

/** Opens what was sealed to one key pair. @returns null when it does not open */
export type OpenFrom = (wishes: SealWishes, sealed: Uint8Array) => Promise<Opened | null>

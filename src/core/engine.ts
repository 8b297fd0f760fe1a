/** The cryptography that core needs. The caller passes it in; src/crypto has two implementations. */
export interface Engine {
  /** SHA-512 of the parts' concatenation, 64 bytes. */
  sha512(...parts: readonly Uint8Array[]): Uint8Array
  /**
   * Strict Ed25519 (docs/format.md, section 1): canonical A and R, neither of small order, S < L, cofactorless equation.
   * Both engines give the same verdict on every input. A wrong length gives false; it never throws.
   * @param signature 64 bytes
   * @param publicKey 32 bytes
   */
  verify(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean
}

/** The hash of formats that others define, for cards and channels. Our own formats use SHA-512. */
export interface Sha256 {
  /** SHA-256 of the parts' concatenation, 32 bytes. */
  sha256(...parts: readonly Uint8Array[]): Uint8Array
}

/** SHA-256 of bytes that are never in memory at once. */
export interface Sha256Stream {
  /** Takes the next bytes. They are neither kept nor changed. */
  update(bytes: Uint8Array): void
  /** SHA-256 of all bytes, 32 bytes. The stream takes nothing afterwards. */
  digest(): Uint8Array
}

/** Streams of an engine, for objects of messages. */
export interface Sha256Streams {
  sha256Stream(): Sha256Stream
}

/** The secret boxes of an engine, for announcements. */
export interface Boxes {
  /**
   * XSalsa20-Poly1305: 24-byte nonce, 32-byte key; the box begins with the 16-byte tag.
   * @param before what stands before the box in the result, as it is; so a sealed text is allocated once
   */
  sealBox(message: Uint8Array, nonce: Uint8Array, key: Uint8Array, ...before: readonly Uint8Array[]): Uint8Array
  /** @returns null when the tag does not match */
  openBox(sealed: Uint8Array, nonce: Uint8Array, key: Uint8Array): Uint8Array | null
}

/** An engine that opens and seals announcements. */
export type BoxEngine = Engine & Boxes

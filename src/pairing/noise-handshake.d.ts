/** The part of noise-handshake 4.2 that handshake.ts uses; the package has no types of its own. */
declare module 'noise-handshake' {
  interface Options {
    readonly psk: Uint8Array
  }
  class NoiseState {
    constructor(pattern: 'NNpsk0', isInitiator: boolean, staticKeyPair: null, options: Options)
    /** Secret keys, in plain memory until the handshake completes. */
    readonly e: { readonly secretKey: Uint8Array } | null
    readonly s: { readonly secretKey: Uint8Array } | null
    readonly key: Uint8Array | null
    readonly chainingKey: Uint8Array | null
    /** Key for the messages this side sends, once the handshake is complete. */
    readonly tx: Uint8Array
    readonly rx: Uint8Array
    /** The handshake hash h, 64 bytes, once the handshake is complete. */
    readonly hash: Uint8Array
    initialise(prologue: Uint8Array): void
    send(payload: Uint8Array): Uint8Array
    /** Keeps references into `message` and overwrites them at the end. */
    recv(message: Uint8Array): Uint8Array
  }
  export default NoiseState
}
declare module 'noise-handshake/cipher.js' {
  class CipherState {
    constructor(key: Uint8Array)
    encrypt(plaintext: Uint8Array): Uint8Array
    decrypt(ciphertext: Uint8Array): Uint8Array
  }
  export default CipherState
}

/** The part of sodium-native 5.1 that sodium.ts uses; the package brings no types. */
declare module 'sodium-native' {
  interface SodiumNative {
    sodium_malloc(length: number): Uint8Array<ArrayBuffer>
    sodium_mlock(buffer: Uint8Array): void
    sodium_memzero(buffer: Uint8Array): void
    sodium_memcmp(a: Uint8Array, b: Uint8Array): boolean
    randombytes_buf(buffer: Uint8Array): void
    crypto_hash_sha256(out: Uint8Array, input: Uint8Array): void
    crypto_hash_sha256_init(state: Uint8Array): void
    crypto_hash_sha256_update(state: Uint8Array, input: Uint8Array): void
    crypto_hash_sha256_final(state: Uint8Array, out: Uint8Array): void
    readonly crypto_hash_sha256_STATEBYTES: number
    crypto_hash_sha512(out: Uint8Array, input: Uint8Array): void
    crypto_sign_seed_keypair(publicKey: Uint8Array, secretKey: Uint8Array, seed: Uint8Array): void
    crypto_sign_detached(signature: Uint8Array, message: Uint8Array, secretKey: Uint8Array): void
    crypto_sign_verify_detached(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean
    crypto_scalarmult(shared: Uint8Array, secretKey: Uint8Array, publicKey: Uint8Array): void
    crypto_scalarmult_base(publicKey: Uint8Array, secretKey: Uint8Array): void
    crypto_secretbox_easy(box: Uint8Array, message: Uint8Array, nonce: Uint8Array, key: Uint8Array): void
    crypto_secretbox_open_easy(message: Uint8Array, box: Uint8Array, nonce: Uint8Array, key: Uint8Array): boolean
    crypto_pwhash_async(
      out: Uint8Array,
      passphrase: Uint8Array,
      salt: Uint8Array,
      passes: number,
      memoryBytes: number,
      algorithm: number,
    ): Promise<void>
    readonly crypto_pwhash_ALG_ARGON2ID13: number
  }
  const sodium: SodiumNative
  export default sodium
}

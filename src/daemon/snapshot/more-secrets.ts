/** Secrets that a backup has beside the signing keys. This file does not know their meaning. */

/** What {@link MoreSecrets.read} found in them. */
export interface ArrivedSecrets {
  /** Keeps them, sealed and beside the state, until the persona is here. @throws {CustodyError} APPS_LOCKED @throws {StoreError} */
  keep(): Promise<void>
}

export interface MoreSecrets {
  /** @returns at most MAX_MORE_BYTES, which the caller wipes; empty if there are none @throws {StoreError} */
  collect(): Promise<Uint8Array>
  /**
   * Checks what a backup has, which may be hostile.
   * @param bytes as of {@link collect}; kept until the end of `keep`
   * @returns unknown: of a kind that this version does not know
   */
  read(bytes: Uint8Array): ArrivedSecrets | 'damaged' | 'unknown'
  /** Takes what {@link ArrivedSecrets.keep} has kept, or discards it where there is no persona. @throws {StoreError} */
  take(): Promise<void>
}

export const MAX_MORE_BYTES: number = 2 << 20 // sanity: keys of a month for 256 apps are a tenth of that; it is restored in one commit

/** For a daemon without any. */
export const NO_MORE_SECRETS: MoreSecrets = {
  collect: () => Promise.resolve(new Uint8Array(0)),
  read: () => 'unknown',
  take: () => Promise.resolve(),
}

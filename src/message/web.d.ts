// The one platform value that seals use beside those of core/web.d.ts, declared here because messages are compiled without the DOM and Node's types.
declare const crypto: {
  readonly subtle: {
    exportKey(
      format: 'jwk',
      key: import('hpke').CryptoKey,
    ): Promise<{ readonly x?: string | undefined; readonly y?: string | undefined }>
  }
}

/** How a secret looks where it must not be. */

/** Every form in which a secret of so many bytes could lie somewhere by mistake. */
export function formsOf(bytes: Uint8Array): Buffer[] {
  const raw = Buffer.from(bytes)
  const hex = raw.toString('hex')
  const texts = [
    hex,
    hex.toUpperCase(),
    raw.toString('base64').replace(/=+$/, ''),
    raw.toString('base64url'),
    bytes.join(),
  ]
  return [raw, ...texts.map((text) => Buffer.from(text))]
}

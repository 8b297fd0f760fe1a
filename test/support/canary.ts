/** The forms in which a leaked secret may appear. */

/** Every form in which a secret of so many bytes could appear by mistake. */
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

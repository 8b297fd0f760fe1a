/** Base32 (RFC 4648, section 6) without padding, for texts that people copy by hand, since case does not matter (docs/format.md, section 13). */

const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567'

/** Unpadded base32 in lower case. */
export function formatBase32(bytes: Uint8Array): string {
  let text = ''
  let held = 0
  let heldBits = 0
  for (const byte of bytes) {
    held = (held << 8) | byte
    for (heldBits += 8; heldBits >= 5; heldBits -= 5) text += BASE32.charAt((held >> (heldBits - 5)) & 31)
    held &= (1 << heldBits) - 1
  }
  return heldBits === 0 ? text : text + BASE32.charAt((held << (5 - heldBits)) & 31)
}

/** Decodes unpadded base32 of either case. Null for padding, any other character, or set bits after the last byte. */
export function parseBase32(text: string): Uint8Array | null {
  // Checked before toLowerCase(), which turns some foreign characters into letters of the alphabet.
  if (!/^[A-Za-z2-7]*$/.test(text)) return null
  const bytes = new Uint8Array(Math.floor((text.length * 5) / 8))
  if (Math.ceil((bytes.length * 8) / 5) !== text.length) return null
  let at = 0
  let held = 0
  let heldBits = 0
  for (const character of text.toLowerCase()) {
    held = ((held << 5) | BASE32.indexOf(character)) & 0xfff
    heldBits += 5
    if (heldBits >= 8) {
      heldBits -= 8
      bytes[at++] = (held >> heldBits) & 0xff
    }
  }
  return (held & ((1 << heldBits) - 1)) === 0 ? bytes : null
}

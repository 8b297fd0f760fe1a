/** Why a code or a message of a pairing is refused; each code has one cause (docs/pairing.md). */

export type PairingErrorCode =
  | 'PAIRING_CODE_LENGTH' // not twelve words
  | 'PAIRING_CODE_UNKNOWN_WORD'
  | 'PAIRING_CODE_CHECKSUM'
  | 'PAIRING_URI' // begins as a pairing URI and does not go on as one
  | 'PAIRING_HANDSHAKE' // another code, or bytes altered on the way: nobody can tell the two apart
  | 'PAIRING_MESSAGE' // behind the handshake: altered, repeated, left out, or of a kind that has no place there
  | 'PAIRING_TOO_LARGE' // more than one pairing may move

export class PairingError<Code extends PairingErrorCode = PairingErrorCode> extends Error {
  override readonly name = 'PairingError'
  readonly code: Code
  /** What to do about it, or null. */
  readonly hint: string | null

  constructor(code: Code, message: string, options?: ErrorOptions & { readonly hint?: string }) {
    super(message, options)
    this.code = code
    this.hint = options?.hint ?? null
  }
}

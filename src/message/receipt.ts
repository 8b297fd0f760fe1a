/** Receipts: one device states that it has a message (docs/messages.md, section 4). */
import { concatBytes } from '../core/encoding/bytes.ts'
import type { Engine } from '../core/engine.ts'
import { LABEL_MESSAGE_RECEIPT } from '../core/labels.ts'
import type { Receipt } from './entry.ts'
import { MessageError } from './errors.ts'

/**
 * Makes the receipt of this device.
 * @param hash SHA-256 of the object that was opened
 * @param sign signs with the key `sig` of this device; 64 bytes
 */
export function makeReceipt(id: Uint8Array, hash: Uint8Array, sign: (message: Uint8Array) => Uint8Array): Receipt {
  return { kind: 'receipt', id, signature: sign(receiptBytes(id, hash)) }
}

/**
 * Finds the device that made a receipt.
 * @param hash SHA-256 of the object with the receipt's id, as it was sent
 * @param devices the keys `sig` of the devices to which that object was sealed
 * @returns the one of `devices` that signed
 * @throws {MessageError} WRONG_RECEIPT
 */
export function verifyReceipt(
  { id, signature }: Receipt,
  hash: Uint8Array,
  devices: readonly Uint8Array[],
  engine: Engine,
): Uint8Array {
  const signed = receiptBytes(id, hash)
  const device = devices.find((key) => engine.verify(signature, signed, key))
  if (device === undefined)
    throw new MessageError('WRONG_RECEIPT', 'no device to which the message was sealed made this receipt for it')
  return device
}

function receiptBytes(id: Uint8Array, hash: Uint8Array): Uint8Array {
  return concatBytes(LABEL_MESSAGE_RECEIPT, id, hash)
}

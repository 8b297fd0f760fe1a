/** SHA-256 of short texts. */
import { hash } from 'node:crypto'

/** @returns the first bytes of the hash, as many as are asked for. Node gives a text out in half the time of a Buffer. */
export function sha256(data: string | Uint8Array, bytes: number): Uint8Array {
  const whole = hash('sha256', data, 'binary')
  const digest = new Uint8Array(bytes)
  for (let i = 0; i < bytes; i++) digest[i] = whole.charCodeAt(i)
  return digest
}

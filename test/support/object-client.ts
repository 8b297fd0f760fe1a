/** The needs of a client of objects: bodies in parts, and tokens. */
import type { ObjectSource, SignObject } from '../../src/relay/objects.ts'
import { sodium } from './made-persona.ts'
import type { RelayDevices } from './relay-devices.ts'

export function sourceOf(body: Uint8Array, partBytes: number = 192 << 10): ObjectSource {
  return {
    bytes: body.length,
    hash: sodium.sha256(body),
    parts: async function* () {
      for (let at = 0; at < body.length; at += partBytes) yield body.subarray(at, at + partBytes)
    },
  }
}

export function signOf(devices: RelayDevices, device = 1): SignObject {
  return ({ method, path, origin, bodyHash }, issuedAtSec) =>
    devices.tokenFor(method, path, '', { origin, bodyHash, issuedAtSec }, device)
}

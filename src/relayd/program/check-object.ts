/** The check of objects: a persona that nobody has leaves one, anybody reads a part of it, and it is deleted again. */
import { randomBytes } from 'node:crypto'
import { formatBase64url } from '../../core/encoding/bytes.ts'
import { formatObjectPath } from '../../relay/paths/object-path.ts'
import { ONLY_BY_TOKEN } from './check-card.ts'
import { expectStatus, putDevice, type CheckedDevice } from './checked-device.ts'
import { Failure, type CheckedRelay } from './checked-relay.ts'
import type { Reply } from './outside.ts'

const OBJECT_CHARS = 2 << 20 // sanity: over the 1 MiB that a proxy takes by default, and some seconds on a slow line
const PART_CHARS = 64
const ID_BYTES = 32

export async function checkObject(relay: CheckedRelay): Promise<string> {
  const device = await putDevice(relay)
  if (device === null) return ONLY_BY_TOKEN
  const path = `/${formatObjectPath({ persona: device.persona, id: formatBase64url(randomBytes(ID_BYTES)) })}`
  return relay.token === null ? await checkAsGuest(device, path) : await checkByRight(relay, device, path)
}

async function checkAsGuest(device: CheckedDevice, path: string): Promise<string> {
  expectStatus(await device.call({ method: 'PUT', path, body: textOf(PART_CHARS) }), 401, 'an object of a guest')
  return 'an object of a guest was refused; --token-file would try one'
}

async function checkByRight({ outside, info }: CheckedRelay, device: CheckedDevice, path: string): Promise<string> {
  const text = textOf(Math.min(OBJECT_CHARS, info?.limits.objectBytes ?? OBJECT_CHARS))
  const put = await device.call({ method: 'PUT', path, body: text })
  if (put.status === 413)
    throw new Failure(`an object of ${text.length} bytes is too big for a proxy: let it take what /info allows`)
  expectStatus(put, 201, 'an object')
  const from = text.length - PART_CHARS
  const part = await outside.call({ method: 'GET', path, headers: { Range: `bytes=${from}-` } })
  const deleted = await device.call({ method: 'DELETE', path })
  // Nothing of the check stays at the relay, whatever came of the part.
  expectPart(part, text, from)
  expectStatus(deleted, 200, 'the deletion of an object')
  expectStatus(await outside.call({ method: 'GET', path }), 404, 'a request for a deleted object')
  return `an object of ${text.length} bytes was left, read in part and deleted`
}

function expectPart(part: Reply, text: string, from: number): void {
  if (part.status === 200) throw new Failure('a part was answered with the whole object: does the proxy drop Range?')
  expectStatus(part, 206, 'a request for a part of an object')
  const range = `bytes ${from}-${text.length - 1}/${text.length}`
  if (part.headers['content-range'] !== range || part.text !== text.slice(from))
    throw new Failure(`a request for ${range} gave ${part.headers['content-range'] ?? 'no range'}, or other bytes`)
}

/** Text instead of bytes, so that the answer may be read as a text. */
function textOf(chars: number): string {
  return randomBytes(chars).toString('base64url').slice(0, chars)
}

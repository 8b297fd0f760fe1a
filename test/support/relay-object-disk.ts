/** The objects of a relay over a store on disk, in this process: for tests that kill it, or fill its disk. */
import { randomBytes } from 'node:crypto'
import { Cards } from '../../src/relayd/cards/cards.ts'
import { Devices } from '../../src/relayd/cards/devices.ts'
import { RELAY_LIMITS } from '../../src/relay/limits.ts'
import type { DeviceCall } from '../../src/relayd/objects/object-service.ts'
import { ObjectFiles } from '../../src/relayd/objects/object-files.ts'
import { Objects } from '../../src/relayd/objects/objects.ts'
import { openLevelRelayStore } from '../../src/relayd/records/level-relay-store.ts'
import type { RelayStore } from '../../src/relayd/store/relay-store.ts'
import { storeLimitsOf } from '../../src/relayd/store/rules.ts'
import { makePersona, NOW_SEC, sodium } from './made-persona.ts'
import { CARDS_URL } from './relay-cards.ts'
import { RelayDevices } from './relay-devices.ts'

const devices = new RelayDevices(makePersona(1), '')
export const PERSONA: string = devices.personaId
const TOKEN = 'token'
const LIMITS = { ...RELAY_LIMITS, address: { burst: 1e9, perSec: 1e9 } }

export interface ObjectDisk {
  readonly store: RelayStore
  readonly objects: Objects
  readonly callOf: (method: string, number: number, body?: Uint8Array) => DeviceCall
}

/** Opens the store of a directory, as it was left, with a card of the persona by right. */
export async function openObjects(directory: string): Promise<ObjectDisk> {
  const nowUs = (): number => NOW_SEC * 1_000_000
  const store = await openLevelRelayStore(directory, { limits: storeLimitsOf(LIMITS), answerUs: 60e6, nowUs: nowUs() })
  const common = { store, engine: sodium, url: CARDS_URL, limits: LIMITS, nowUs, personas: () => [] }
  await devices.putCard(new Cards({ ...common, tokens: () => [TOKEN] }), TOKEN)
  const files = await ObjectFiles.open(directory)
  return {
    store,
    objects: new Objects({ ...common, files, comingUs: 0, devices: new Devices(common) }),
    callOf: (method, number, body = new Uint8Array()) => {
      const path = devices.objectPath(number)
      return { path, bearer: devices.tokenFor(method, path, body) }
    },
  }
}

/** The bytes of an object that a number names. */
export function bytesOf(number: number): Uint8Array {
  return new Uint8Array(1000 + (number % 200) * 1000).fill(number)
}

/** Sends an object in parts. @returns the outcome */
export async function sendObject(
  disk: ObjectDisk,
  number: number,
  body: Uint8Array = bytesOf(number),
): Promise<string> {
  const upload = {
    ...disk.callOf('PUT', number, body),
    announcedBytes: body.length,
    parts: partsOf(body),
    cut: () => {},
  }
  const target = { persona: PERSONA, id: devices.objectPath(number).split('/').at(-1)! }
  return (await disk.objects.put(target, upload, { address: randomBytes(8).toString('hex') })).outcome
}

async function* partsOf(body: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < body.length; at += 16_384) yield body.subarray(at, at + 16_384)
}

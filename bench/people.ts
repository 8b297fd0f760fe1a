/** Thousands of personas with real keys and signatures, for measuring. */
import { PREV_BYTES } from '../src/core/blob.ts'
import { formatHex } from '../src/core/encoding/bytes.ts'
import type { ChainPosition } from '../src/core/chain.ts'
import { chainPositions } from '../src/core/chain.ts'
import { MAX_EPOCH } from '../src/core/limits.ts'
import { encodeTable, type Device } from '../src/core/table.ts'
import { formatToken } from '../src/core/token.ts'
import type { CryptoEngine, KeyPair } from '../src/crypto/engine.ts'
import { compress } from '../src/daemon/own/compress.ts'
import type { ObservationParams } from '../src/ipc/shapes/judged.ts'

const LETTERS = 'abcdefghijklmnopqrstuvwxyz'

export function randomName(engine: CryptoEngine): string {
  return [...engine.randomBytes(8)].map((byte) => LETTERS[byte % LETTERS.length]).join('')
}

export function randomDevices(engine: CryptoEngine, count: number): Device[] {
  return Array.from({ length: count }, () => {
    return { name: randomName(engine), key: formatHex(engine.boxPublicKey(engine.randomBytes(32))) }
  })
}

/** A token at an epoch of a complete chain, as a friend who rotated shows it. */
export function tokenAt(engine: CryptoEngine, epoch: number, devices: readonly Device[]): string {
  return tokensAt(engine, [epoch], devices)[0]!
}

/** Tokens of one chain at several epochs. */
export function tokensAt(engine: CryptoEngine, epochs: readonly number[], devices: readonly Device[]): string[] {
  const pairs = Array.from({ length: MAX_EPOCH + 1 }, () => engine.signKeyPair(engine.randomBytes(32)))
  const positions = chainPositions(
    pairs.map((pair) => pair.publicKey),
    engine,
    (message) => engine.sign(message, pairs[0]!.secretKey),
  )
  return epochs.map((epoch) => signed(positions[epoch]!, pairs[epoch]!, devices, engine))
}

function signed(chain: ChainPosition, pair: KeyPair, devices: readonly Device[], engine: CryptoEngine): string {
  const draft = {
    chain,
    seq: 1,
    timeSec: nowSec(),
    prev: new Uint8Array(PREV_BYTES),
    devices,
    named: true,
    document: [],
  }
  const { blob } = encodeTable(draft, false, compress, (message) => engine.sign(message, pair.secretKey))
  return formatToken(blob)
}

export function nowSec(): number {
  return Math.floor(Date.now() / 1000)
}

/** A new friend, shown by their first device: one more contact for the observer. */
export function friend(engine: CryptoEngine, number: number, deviceCount = 2): ObservationParams {
  const pair = engine.signKeyPair(engine.randomBytes(32))
  // Nobody here follows a rotation, so the commitment may be random.
  const chain = {
    personaId: pair.publicKey,
    epoch: 0,
    signingKey: pair.publicKey,
    links: new Uint8Array(),
    next: engine.randomBytes(32),
    inception: null,
  }
  const devices = randomDevices(engine, deviceCount)
  return { from: devices[0]!.key, name: `friend ${number}`, text: `hello ${signed(chain, pair, devices, engine)}` }
}

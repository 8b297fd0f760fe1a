/** Messages without disk and network: sealing to many devices against bare seals of HPKE, and long contents against their boxes and hashes. */
import { CHUNK_BYTES } from '../src/core/stream/box-stream.ts'
import type { CryptoEngine } from '../src/crypto/engine.ts'
import { loadEngine } from '../src/crypto/load.ts'
import { openObject, type Expected } from '../src/message/open-object.ts'
import { sealObject, type Outgoing } from '../src/message/seal-object.ts'
import { readBoxKey } from '../src/seal/box-key.ts'
import { generateBoxKeyPair } from '../src/seal/key-pair.ts'
import { sealTo } from '../src/seal/seal.ts'
import { APP, cardKeyPair } from '../test/support/cards.ts'
import { ALICE, ALICE_PHONE, BOB, expectedBy, inPieces, OUTGOING } from '../test/support/messages.ts'
import { formatRatio, formatUs, quantile, timedMs, type Row } from './measure.ts'

const DEVICES = 10
const SHORT_BYTES = 200 // a line of a chat
const LONG_BYTES: number = 16 << 20
const PIECE_BYTES: number = 192 << 10 // in which an app hands a content over

interface Made {
  readonly parts: readonly Uint8Array[]
  readonly hash: Uint8Array
}

async function seal(engine: CryptoEngine, message: Outgoing, content: Uint8Array): Promise<Made> {
  const parts: Uint8Array[] = []
  const { secretKey } = cardKeyPair(ALICE_PHONE)
  const sign = (bytes: Uint8Array): Uint8Array => engine.sign(bytes, secretKey)
  const give = (part: Uint8Array): void => void parts.push(part)
  const { hash } = await sealObject(message, () => inPieces(content, PIECE_BYTES), give, { engine, sign })
  return { parts, hash }
}

async function* each(parts: readonly Uint8Array[]): AsyncGenerator<Uint8Array, void, undefined> {
  for (const part of parts) yield await Promise.resolve(part)
}

/** Runs both in turn. @returns the medians of one call, in milliseconds */
async function inTurn(rounds: number, calls: readonly (() => Promise<unknown>)[]): Promise<number[]> {
  const times: number[][] = calls.map(() => [])
  for (let round = 0; round < rounds; round++)
    for (const [i, call] of calls.entries()) times[i]!.push(await timedMs(async () => void (await call())))
  return times.map((list) => quantile(list, 0.5))
}

async function benchDevices(engine: CryptoEngine, rounds: number): Promise<Row> {
  const pairs = await Promise.all(Array.from({ length: DEVICES }, async () => await generateBoxKeyPair('x25519')))
  const toKeys = pairs.map(({ key }) => key.bytes)
  const content = engine.randomBytes(SHORT_BYTES)
  const message = { ...OUTGOING, toKeys, ownKeys: [] }
  const aad = engine.randomBytes(100)
  const bare = async (): Promise<unknown> =>
    await Promise.all(
      toKeys.map(async (key) => await sealTo(readBoxKey(key), 'message-object', aad, content.slice(0, 32))),
    )
  const [whole, seals] = await inTurn(rounds, [async () => await seal(engine, message, content), bare])
  return {
    what: `message of ${SHORT_BYTES} bytes to ${DEVICES} devices, sealed`,
    figure: `${formatUs(1000 * whole!)}; ${formatRatio(whole! / seals!)} of ${DEVICES} bare seals (goal: 1.5 at most)`,
  }
}

async function benchLength(engine: CryptoEngine, rounds: number): Promise<Row[]> {
  const pair = await generateBoxKeyPair('x25519')
  const message = { ...OUTGOING, toKeys: [pair.key.bytes], ownKeys: [] }
  const content = engine.randomBytes(LONG_BYTES)
  const made = await seal(engine, message, content)
  const facts = { pairs: [pair], route: { from: ALICE, reader: BOB, app: APP } }
  const expected: Expected = await expectedBy(made.hash, facts)
  const [key, nonce] = [engine.randomBytes(32), engine.randomBytes(24)]
  const bare = async (): Promise<void> => {
    const hashes = [engine.sha256Stream(), engine.sha256Stream()]
    for await (const chunk of inPieces(content, CHUNK_BYTES)) {
      engine.sealBox(chunk, nonce, key)
      for (const hash of hashes) hash.update(chunk)
    }
  }
  const [sealMs, openMs, bareMs] = await inTurn(rounds, [
    async () => await seal(engine, message, content),
    async () => await openObject(each(made.parts), expected, () => undefined, engine),
    bare,
  ])
  const row = (verb: string, ms: number): Row => ({
    what: `message of ${LONG_BYTES >> 20} MiB, ${verb}, ${engine.name}`,
    figure: `${ms.toFixed(0)} ms; ${formatRatio(ms / bareMs!)} of its secretboxes and two hashes alone`,
  })
  return [row('sealed', sealMs!), row('opened', openMs!)]
}

export async function benchMessages(engine: CryptoEngine, isQuick: boolean): Promise<Row[]> {
  return [await benchDevices(engine, isQuick ? 5 : 300), ...(await benchLength(engine, isQuick ? 1 : 10))]
}

if (import.meta.main)
  for (const { what, figure } of await benchMessages(await loadEngine('sodium'), process.argv.includes('--quick')))
    console.log(`${what.padEnd(48)} ${figure}`)

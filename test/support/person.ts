/** The people of test stories: real keys, chains and blobs, the same at every run. */
import { encodeBlob, PREV_BYTES, resignBlob, decodeBlob } from '../../src/core/blob.ts'
import { encodeUtf8, formatHex, parseHex } from '../../src/core/encoding/bytes.ts'
import { chainPositions, type ChainPosition } from '../../src/core/chain.ts'
import { type Document, settingsOf } from '../../src/core/document.ts'
import { MAX_EPOCH } from '../../src/core/limits.ts'
import { formatLink } from '../../src/core/link.ts'
import { safetyNumber } from '../../src/core/safety-number.ts'
import { makeStatement, shorterStatements } from '../../src/core/succession/statement.ts'
import { encodeTable, type Device } from '../../src/core/table.ts'
import { composeStatus } from '../../src/core/token.ts'
import { tableHash } from '../../src/core/verify.ts'
import type { CryptoEngine, KeyPair } from '../../src/crypto/engine.ts'
import { loadEngine } from '../../src/crypto/load.ts'
import { compress } from '../../src/daemon/own/compress.ts'

export const engine: CryptoEngine = await loadEngine()

/** 1 January 2026: the default start of the stories. */
export const START_SEC = 1_767_225_600

export function seedOf(name: string): Uint8Array {
  return engine.sha512(encodeUtf8(name)).slice(0, 32)
}

/** The ToxPk of the device with this name. */
export function deviceKey(name: string): string {
  return formatHex(engine.boxPublicKey(seedOf(`device ${name}`)))
}

/** One signed table of a person. */
export interface Table {
  readonly blob: Uint8Array
  readonly epoch: number
  readonly seq: number
  /** T, 64 hex digits. */
  readonly hash: string
  /** The status message, with optional words before the token. */
  text(words?: string): string
}

export interface TableOptions {
  readonly seq?: number
  readonly timeSec?: number
  /** The table it follows; by default the last one signed. */
  readonly after?: Table | null
  readonly named?: boolean
  readonly document?: Document
  /** A statement that this persona follows another one, in the forms that {@link Person.names} gives. */
  readonly predecessor?: readonly string[]
  /** Replaces the deflated document. */
  readonly deflated?: Uint8Array
}

function tableOf(blob: Uint8Array): Table {
  const { epoch, seq } = decodeBlob(blob)
  const hash = formatHex(tableHash(blob, engine))
  return { blob, epoch, seq, hash, text: (words = '') => composeStatus(words, blob).text }
}

export class Person {
  readonly name: string
  readonly id: string
  readonly #pairs: readonly KeyPair[]
  readonly #positions: readonly ChainPosition[]
  epoch = 0
  last: Table | null = null

  constructor(name: string, pairs: readonly KeyPair[]) {
    this.name = name
    this.#pairs = pairs
    const keys = pairs.map((pair) => pair.publicKey)
    this.#positions = chainPositions(keys, engine, (message) => engine.sign(message, pairs[0]!.secretKey))
    this.id = formatHex(keys[0]!)
  }

  /** The place of the present key in the chain. */
  get position(): ChainPosition {
    return this.#positions[this.epoch]!
  }

  /** The key of one of the person's devices, listed or not. */
  key(device: string): string {
    return deviceKey(`${this.name}'s ${device}`)
  }

  device(name: string): Device {
    return { name, key: this.key(name) }
  }

  /** The contact link that this person hands out now. */
  link(epoch: number = this.epoch): string {
    const { personaId, next } = this.#positions[0]!
    return formatLink({ personaId, root: next, epoch }, engine)
  }

  /** 60 digits. */
  get safetyNumber(): string {
    const { personaId, next } = this.#positions[0]!
    return safetyNumber(personaId, next, engine)
  }

  /** Signs the next table, of own devices by nickname or of any devices. */
  table(devices: readonly (string | Device)[], options: TableOptions = {}): Table {
    const after = options.after === undefined ? this.last : options.after
    const isFirst = after === null || after.epoch !== this.epoch
    const prev = after === null ? new Uint8Array(PREV_BYTES) : parseHex(after.hash)!.subarray(0, PREV_BYTES)
    const draft = {
      chain: this.#positions[this.epoch]!,
      seq: options.seq ?? (isFirst ? 1 : after.seq + 1),
      timeSec: options.timeSec ?? START_SEC,
      prev,
      devices: devices.map((device) => (typeof device === 'string' ? this.device(device) : device)),
      named: options.named ?? true,
      document: options.document ?? [],
      settings: settingsOf(options.document ?? []),
      predecessor: options.predecessor ?? [],
    }
    this.last = tableOf(
      options.deflated === undefined
        ? encodeTable(draft, false, compress, this.sign).blob
        : encodeBlob(
            { ...draft, deflated: options.deflated, deviceKeys: draft.devices.map(({ key }) => parseHex(key)!) },
            this.sign,
          ),
    )
    return this.last
  }

  /** Signs the same table again later. */
  resign(table: Table, timeSec: number): Table {
    return tableOf(resignBlob(table.blob, timeSec, this.sign))
  }

  /** Signs all later tables with the next key. */
  rotate(epoch: number = this.epoch + 1): this {
    this.epoch = epoch
    return this
  }

  /** The statement by which this person's last key names a persona that follows, the longest form first. */
  names(successor: Person): string[] {
    const [first] = successor.#positions
    const named = { personaId: first!.personaId, root: first!.next }
    const sign = (message: Uint8Array): Uint8Array => engine.sign(message, this.#pairs[MAX_EPOCH]!.secretKey)
    return shorterStatements(makeStatement(this.#positions[MAX_EPOCH]!, this.#positions[0]!.next, named, sign))
  }

  readonly sign = (message: Uint8Array): Uint8Array => engine.sign(message, this.#pairs[this.epoch]!.secretKey)

  /**
   * A thief of all that this person's device holds today: the same keys up to this epoch, and different ones
   * afterwards.
   */
  thief(name: string = `thief of ${this.name}`): Person {
    const own = this.#pairs.slice(0, this.epoch + 1)
    const thief = new Person(this.name, [...own, ...pairsOf(name).slice(own.length)])
    thief.epoch = this.epoch
    thief.last = this.last
    return thief
  }

  /** The same person with a separate memory of the last table signed: what a second device of this owner signs. */
  sibling(): Person {
    const sibling = new Person(this.name, this.#pairs)
    sibling.epoch = this.epoch
    sibling.last = this.last
    return sibling
  }
}

function pairsOf(name: string): KeyPair[] {
  return Array.from({ length: MAX_EPOCH + 1 }, (_, epoch) => engine.signKeyPair(seedOf(`${name}, epoch ${epoch}`)))
}

export function person(name: string): Person {
  return new Person(name, pairsOf(name))
}

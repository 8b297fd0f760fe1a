/** Vectors of frames (docs/channel.md, sections 6 and 7). */
import { controlItem, cutItem, readBody } from '../../src/channel/ratchet/body.ts'
import type { ChannelEngine, Role } from '../../src/channel/ratchet/engine.ts'
import {
  FRAME_KIND,
  openBody,
  openHeader,
  paddedBody,
  sealFrame,
  sealNotice,
  type FrameHeader,
} from '../../src/channel/ratchet/frame.ts'
import {
  guestRatchet,
  hostRatchet,
  nextToReceive,
  nextToSend,
  type Ratchet,
} from '../../src/channel/ratchet/ratchet.ts'
import { NONCE_BYTES } from '../../src/channel/ratchet/root.ts'
import {
  encodeUtf8,
  equalBytes,
  formatBase64url,
  formatHex,
  parseBase64url,
  parseHex,
} from '../../src/core/encoding/bytes.ts'
import { portableEngine } from '../../src/crypto/portable.ts'
import { seededEngine } from '../support/channel-ends.ts'

interface FrameFields {
  readonly from: Role
  /** base64url of type and frame */
  readonly data: string
  /** The new secret of the sender, when the frame makes a step. */
  readonly secret: string | null
}

/** Frames of a channel as their readers see them, one after another. */
export interface ChannelVector {
  readonly kind: 'channel'
  readonly name: string
  readonly section: number
  readonly comment: string
  /** 192 bytes */
  readonly root: string
  /** Secrets of the first keys. */
  readonly dh: Readonly<Record<Role, string>>
  readonly frames: readonly FrameFields[]
  readonly expect: readonly (ReadFrame | 'refused')[]
}

interface ReadFrame {
  readonly header: {
    readonly kind: number
    readonly counter: number
    readonly previous: number
    readonly ack: number
    readonly key: string
  }
  /** Tag, a number (length, whole length or type) and base64url of the bytes. */
  readonly items: readonly (readonly [tag: number, number: number, bytes: string])[]
}

const hex = (text: string): Uint8Array => parseHex(text)!
const base = (text: string): Uint8Array => parseBase64url(text)!

function sha(text: string): Uint8Array {
  return portableEngine.sha256(encodeUtf8(text))
}

/** The readers of the code under test read the frames. It also seals each frame again, and compares. */
export function judgeChannel(vector: ChannelVector, engine: ChannelEngine): ChannelVector['expect'] {
  const root = hex(vector.root)
  const part = (at: number): Uint8Array => root.subarray(32 * at, 32 * at + 32)
  const headerKeys = { host: part(1), guest: part(2) }
  const secrets = { host: hex(vector.dh.host), guest: hex(vector.dh.guest) }
  const keys = { host: engine.boxPublicKey(secrets.host), guest: engine.boxPublicKey(secrets.guest) }
  const ratchets: Record<Role, Ratchet> = {
    host: hostRatchet(part(0), secrets.host, keys.host, keys.guest),
    guest: guestRatchet(part(0), keys.guest, keys.host),
  }
  const counters = { host: 0, guest: 0 }
  return vector.frames.map(({ from, data, secret }) => {
    const to: Role = from === 'host' ? 'guest' : 'host'
    const frame = base(data).subarray(1)
    const opened = openHeader(frame, headerKeys[from], engine)
    if (opened === null) return 'refused'
    const { header } = opened
    const moved = header.counter === 0 ? null : nextToReceive(ratchets[to], header.key, engine)
    const messageKey = header.counter === 0 ? headerKeys[from] : moved?.messageKey
    const body = messageKey === undefined ? null : openBody(opened, messageKey, engine)
    const read = body === null ? null : readBody(body, null)
    const isInTurn = header.counter === 0 || header.counter === counters[from] + 1
    if (body === null || read === null || !isInTurn) return 'refused'
    if (moved !== null) {
      ratchets[to] = moved.ratchet
      ratchets[from] = sentBy(ratchets[from], secret, engine)
      counters[from]++
    }
    const again = sealFrame(header, headerKeys[from], messageKey!, body, {
      ...engine,
      randomBytes: () => frame.slice(0, 48),
    })
    if (!equalBytes(again, base(data))) throw new Error(`frame ${header.counter} is not sealed as the vector has it`)
    return { header: { ...header, key: formatHex(header.key) }, items: itemsOf(body) }
  })
}

/** The sender's ratchet after a frame. */
function sentBy(ratchet: Ratchet, secret: string | null, engine: ChannelEngine): Ratchet {
  return nextToSend(ratchet, secret === null ? engine : { ...engine, randomBytes: () => hex(secret) }).ratchet
}

/** The items with their tags, as the vector lists them. */
function itemsOf(body: Uint8Array): ReadFrame['items'] {
  const items: [number, number, string][] = []
  for (let at = 0; at < body.length && body[at] !== 0;) {
    const tag = body[at]!
    const start = at + [0, 3, 7, 3, 4][tag]!
    const length = body[start - 2]! * 256 + body[start - 1]!
    const whole = new DataView(body.buffer, body.byteOffset).getUint32(at + 1)
    const number = tag === 2 ? whole : tag === 4 ? body[at + 1]! : length
    items.push([tag, number, formatBase64url(body.subarray(start, start + length))])
    at = start + length
  }
  return items
}

/** How a frame differs from the next one of its sender. With any but the first two it is refused. */
interface FrameWishes {
  readonly kind?: 1 | 4
  readonly ack?: number
  readonly change?: (data: Uint8Array) => Uint8Array
  readonly previous?: number
  readonly counter?: number
}

/** Makes frames as two ends would seal them. */
class FrameMaker {
  readonly engine: ChannelEngine = seededEngine(portableEngine, 'channel vectors')
  readonly root: Uint8Array
  readonly dh: Readonly<Record<Role, Uint8Array>> = { host: sha('dh host'), guest: sha('dh guest') }
  readonly frames: FrameFields[] = []
  readonly expected: (ReadFrame | 'refused')[] = []
  readonly #ratchets: Record<Role, Ratchet>
  readonly #counters: Record<Role, { sent: number; before: number }> = {
    host: { sent: 0, before: 0 },
    guest: { sent: 0, before: 0 },
  }

  constructor() {
    const keys = { host: this.engine.boxPublicKey(this.dh.host), guest: this.engine.boxPublicKey(this.dh.guest) }
    const blocks = [0, 1, 2].map((i) => this.engine.sha512(encodeUtf8(`root ${i}`)))
    this.root = Uint8Array.of(...blocks.flatMap((block) => [...block]))
    const ratchet = this.root.slice(0, 32)
    this.#ratchets = {
      host: hostRatchet(ratchet, this.dh.host, keys.host, keys.guest),
      guest: guestRatchet(ratchet, keys.guest, keys.host),
    }
  }

  headerKey(from: Role): Uint8Array {
    return from === 'host' ? this.root.slice(32, 64) : this.root.slice(64, 96)
  }

  /** Seals a frame, and lets the other end take it unless it is refused. */
  frame(from: Role, items: readonly Uint8Array[], wishes: FrameWishes = {}): void {
    let secret: Uint8Array | null = null
    const randomBytes = (length: number): Uint8Array => (secret = this.engine.randomBytes(length))
    const moved = nextToSend(this.#ratchets[from], { ...this.engine, randomBytes })
    const counters = this.#counters[from]
    const counter = wishes.counter ?? counters.sent + 1
    const previous = wishes.previous ?? (moved.isStep ? counters.sent : counters.before)
    const header: FrameHeader = {
      kind: wishes.kind ?? 1,
      counter,
      previous,
      ack: wishes.ack ?? 0,
      key: moved.ratchet.ownKey,
    }
    const body = paddedBody(items)
    const data = sealFrame(header, this.headerKey(from), moved.messageKey, body, this.engine)
    const isRefused =
      wishes.change !== undefined ||
      wishes.previous !== undefined ||
      wishes.counter !== undefined ||
      readBody(body, null) === null
    this.frames.push({
      from,
      data: formatBase64url(wishes.change?.(data) ?? data),
      secret: moved.isStep && !isRefused ? formatHex(secret!) : null,
    })
    this.expected.push(
      isRefused ? 'refused' : { header: { ...header, key: formatHex(header.key) }, items: itemsOf(body) },
    )
    if (isRefused) return
    this.#ratchets[from] = moved.ratchet
    this.#counters[from] = { sent: counter, before: previous }
    const to: Role = from === 'host' ? 'guest' : 'host'
    this.#ratchets[to] = nextToReceive(this.#ratchets[to], header.key, this.engine)!.ratchet
  }

  notice(from: Role, kind: 2 | 3, ack: number): void {
    const data = sealNotice(kind, ack, this.headerKey(from), this.engine)
    this.frames.push({ from, data: formatBase64url(data), secret: null })
    const header = { kind, counter: 0, previous: 0, ack, key: '00'.repeat(32) }
    this.expected.push({ header, items: [] })
  }

  vector(name: string, section: number, comment: string): ChannelVector {
    return {
      kind: 'channel',
      name,
      section,
      comment,
      root: formatHex(this.root),
      dh: { host: formatHex(this.dh.host), guest: formatHex(this.dh.guest) },
      frames: this.frames,
      expect: this.expected,
    }
  }
}

const content = (text: string): Uint8Array => cutItem(encodeUtf8(text), 0, 4000)!.item
const m3 = controlItem(1, sha('nB').slice(0, NONCE_BYTES))
const flip = (at: number) => (data: Uint8Array) => data.with(at, data[at]! ^ 1)

function exchange(): ChannelVector {
  const maker = new FrameMaker()
  maker.frame('guest', [m3])
  maker.frame('guest', [content('milk')])
  maker.frame('host', [content('bread'), content(''), content('butter')], { ack: 2 })
  maker.notice('guest', 2, 1)
  maker.frame('host', [controlItem(2, encodeUtf8('["a.b"]')), content('x'.repeat(200))], { ack: 2 })
  maker.frame('guest', [content('y'.repeat(900))], { ack: 2 })
  maker.frame('guest', [content('tea')], { ack: 2 })
  maker.frame('host', [content('coffee')], { ack: 4 })
  maker.frame('guest', [], { kind: FRAME_KIND.last, ack: 3 })
  return maker.vector(
    'exchange',
    6,
    'Frames of both ends, with steps at each change of direction, an ack alone, and a last frame.',
  )
}

function refusals(): ChannelVector {
  const maker = new FrameMaker()
  maker.frame('guest', [m3])
  maker.frame('host', [content('a')], { change: flip(10) })
  maker.frame('host', [content('a')], { change: flip(60) })
  maker.frame('host', [content('a')], { change: flip(30) })
  maker.frame('host', [content('a')], { change: flip(200) })
  maker.frame('host', [content('a')], { change: (data) => data.subarray(0, 256) })
  maker.frame('host', [content('a')], { counter: 3, previous: 2 })
  maker.frame('host', [Uint8Array.of(5, 0, 0)])
  maker.frame('host', [Uint8Array.of(1, 0, 120, 1)])
  maker.frame('host', [Uint8Array.of(0, 0, 1)])
  maker.frame('host', [content('a')])
  maker.notice('guest', 3, 1)
  return maker.vector(
    'refused',
    6,
    'A flipped bit in n1, the header, n2 and the body; a byte less; a frame out of turn; bad bodies. The frames after them open.',
  )
}

function cut(): ChannelVector {
  const maker = new FrameMaker()
  maker.frame('guest', [m3])
  maker.frame('guest', [cutItem(new Uint8Array(12_000).fill(7), 0, 11_862)!.item])
  return maker.vector('cut', 7, 'The first frame of a content of 12000 bytes, which fills the greatest frame.')
}

/** All vectors of frames. */
export function channelVectors(): ChannelVector[] {
  return [exchange(), refusals(), cut()]
}

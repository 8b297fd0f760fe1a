/** A host and guests that meet over HPKE, with cards that stand in for those of a persona. */
import type { Channel, Step } from '../../src/channel/exchange/channel.ts'
import {
  beginGuest,
  guestReceive,
  type GuestEvent,
  type GuestState,
  type GuestStep,
  type Self,
} from '../../src/channel/handshake/guest.ts'
import { hostReceive, openInvite, type HostEvent, type HostState } from '../../src/channel/handshake/host.ts'
import type { HandshakeContext, JudgeCard } from '../../src/channel/handshake/peer.ts'
import type { Identity } from '../../src/channel/handshake/message.ts'
import type { OpenFrom } from '../../src/channel/handshake/seals.ts'
import { hpkeOpenFrom, hpkeSealTo } from '../../src/channel/hpke/hpke-seals.ts'
import type { Invite } from '../../src/channel/invite/invite.ts'
import { formatInviteLink, parseInvite, type ReadInvite } from '../../src/channel/invite/invite-text.ts'
import type { ChannelEngine } from '../../src/channel/ratchet/engine.ts'
import { encodeUtf8, formatHex, parseHex } from '../../src/core/encoding/bytes.ts'
import { importBoxKeyPair } from '../../src/seal/key-pair.ts'
import { START_MS } from './channel-ends.ts'
import { makePersona, sodium } from './made-persona.ts'

export const APP = 'com.example.list'
export const APP_URL = 'https://list.example.com/'

export interface BoxEnd {
  readonly self: Self
  readonly openFrom: OpenFrom
}

/** A key pair and an intake with this name. */
export async function boxEnd(name: string, identity: Identity | null = null): Promise<BoxEnd> {
  const pair = await importBoxKeyPair('x25519', sodium.sha256(encodeUtf8(`box ${name}`)))
  const where = [{ url: `https://${name}.example/`, ext: null }]
  return { self: { address: { pub: pair.key.bytes, where }, identity, name }, openFrom: hpkeOpenFrom(pair) }
}

/** The stand-in for a card: its persona, epoch and device key as a text that nobody has signed. */
export function identityOf(persona: number, epoch = 0, device = 0): Identity {
  const pair = sodium.signKeyPair(sodium.sha256(encodeUtf8(`device ${persona} ${device}`)))
  const id = formatHex(personaIdOf(persona))
  return {
    card: [id, epoch, formatHex(pair.publicKey)].join('.'),
    sign: (message) => sodium.sign(message, pair.secretKey),
  }
}

export function personaIdOf(persona: number): Uint8Array {
  return makePersona(persona).positions[0]!.personaId
}

const judgeCard: JudgeCard = (card, app) => {
  const [id, epoch, key] = card.split('.')
  const [personaId, deviceKey] = [parseHex(id ?? ''), parseHex(key ?? '')]
  if (app !== APP || personaId === null || deviceKey === null) return null
  return { personaId, epoch: Number(epoch), deviceKeys: [new Uint8Array(32), deviceKey] }
}

export function contextAt(engine: ChannelEngine, nowMs: number = START_MS): HandshakeContext {
  return { engine, sealTo: hpkeSealTo, judgeCard, nowMs }
}

/** An open invite. */
export class HostEnd {
  state: HostState
  readonly engine: ChannelEngine
  readonly box: BoxEnd
  readonly answer: BoxEnd
  readonly events: HostEvent[] = []
  /** Channels by the hash of M1. */
  readonly channels: Map<string, Channel> = new Map()
  nowMs: number = START_MS

  constructor(engine: ChannelEngine, box: BoxEnd, answer: BoxEnd, more: Partial<Invite> = {}) {
    this.engine = engine
    this.box = box
    this.answer = answer
    const k = engine.randomBytes(16)
    const expiresAtSec = START_MS / 1000 + 7 * 86_400
    this.state = openInvite({ address: box.self.address, k, app: APP, expiresAtSec, ...more })
  }

  invite(): ReadInvite {
    return parseInvite(formatInviteLink(APP_URL, this.state.invite))
  }

  bareInvite(): ReadInvite {
    return parseInvite(formatInviteLink(APP_URL, this.state.invite).split('#')[0]!)
  }

  /** Takes data. @returns what it posts to the sender */
  async receive(data: Uint8Array): Promise<Uint8Array[]> {
    const context = contextAt(this.engine, this.nowMs)
    const step = await hostReceive(this.state, data, this.box.openFrom, this.answer.self, context)
    this.state = step.state
    this.events.push(...step.events)
    const started: Step[] = []
    for (const event of step.events) {
      if (event.event !== 'claimed' && event.event !== 'candidate') continue
      this.channels.set(formatHex(event.m1Hash), event.start.channel)
      started.push(event.start)
    }
    return [...started.flatMap(({ posts }) => posts), ...step.posts.map((post) => post.data)]
  }

  told(): string[] {
    return this.events.splice(0).map((each) => (each.event === 'refused' ? each.reason : each.event))
  }
}

export class GuestEnd {
  state: GuestState
  readonly engine: ChannelEngine
  readonly box: BoxEnd
  readonly m1: Uint8Array
  readonly events: GuestEvent[] = []
  start: Step | null = null
  nowMs: number = START_MS

  constructor(engine: ChannelEngine, box: BoxEnd, first: GuestStep) {
    this.engine = engine
    this.box = box
    this.state = first.state
    this.m1 = first.posts[0]!
  }

  static async begin(engine: ChannelEngine, box: BoxEnd, invite: ReadInvite, app: string = APP): Promise<GuestEnd> {
    return new GuestEnd(engine, box, await beginGuest(invite, app, box.self, contextAt(engine)))
  }

  async receive(data: Uint8Array): Promise<readonly Uint8Array[]> {
    const step = await guestReceive(this.state, data, this.box.openFrom, contextAt(this.engine, this.nowMs))
    this.state = step.state
    this.events.push(...step.events)
    for (const event of step.events) if (event.event === 'connected') this.start = event.start
    return this.start?.posts ?? []
  }

  told(): string[] {
    return this.events.splice(0).map((each) => (each.event === 'refused' ? each.reason : each.event))
  }
}

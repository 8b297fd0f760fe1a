/** Vectors of handshakes, after their seals (docs/channel.md, sections 3 to 5). */
import { wordlist } from '@scure/bip39/wordlists/english.js'
import { formatMessage, parseMessage, type Identity } from '../../src/channel/handshake/message.ts'
import { formatConnectoid } from '../../src/channel/invite/address.ts'
import { formatInviteJson, inviteWithoutK, parseInviteJson } from '../../src/channel/invite/invite.ts'
import { BOX_TYPE, formatData } from '../../src/channel/ratchet/box-data.ts'
import type { ChannelEngine, Role } from '../../src/channel/ratchet/engine.ts'
import { commitTo, handshakeWords, invitePsk, makeRoot, NONCE_BYTES } from '../../src/channel/ratchet/root.ts'
import {
  encodeUtf8,
  equalBytes,
  formatBase64url,
  formatHex,
  parseBase64url,
  parseHex,
} from '../../src/core/encoding/bytes.ts'
import { LABEL_CHANNEL_EXPORT, LABEL_CHANNEL_M1, LABEL_CHANNEL_M2 } from '../../src/core/labels.ts'
import { portableEngine } from '../../src/crypto/portable.ts'
import { ORACLE_SUITES, oracleSeal } from '../support/hpke-oracle.ts'
import { PLAIN_INVITE } from './invite-vectors.ts'

/** A message as it travels, its text, and the secret that its seal exports. */
interface MessageFields {
  /** base64url of type and seal */
  readonly data: string
  readonly text: string
  readonly exporter: string
}

/** A handshake. Its seals are opened already; a test opens them again. */
export interface MeetingVector {
  readonly kind: 'meeting'
  readonly name: string
  readonly section: number
  readonly comment: string
  /** Canonical JSON of the invite. */
  readonly invite: string
  /** Secret keys of X25519: of the invite, and of the guest's return address. */
  readonly inviteSecret: string
  readonly guestBoxSecret: string
  /** The connectoid value, for a guest who has no k. */
  readonly connectoid?: string
  readonly m1: MessageFields
  readonly m2: MessageFields
  /** Secrets of the keys `dh`. */
  readonly hostSecret: string
  readonly guestSecret: string
  readonly nB: string
  /** The device keys that the cards list; empty without a card. The cards are stand-ins. */
  readonly deviceKeys: Readonly<Record<Role, string>>
  readonly expect: {
    readonly inviteHash: string
    readonly psk: string | null
    readonly root: string
    /** Indices of the words; null when nB does not keep the promise. */
    readonly words: readonly number[] | null
    readonly guestSigned: boolean | null
    readonly hostSigned: boolean | null
  }
  /** The words as people see them. */
  readonly spoken: string | null
}

const hex = (text: string): Uint8Array => parseHex(text)!
const base = (text: string): Uint8Array => parseBase64url(text)!

/** The results of the code under test for a handshake. */
export function judgeMeeting(vector: MeetingVector, engine: ChannelEngine): MeetingVector['expect'] {
  const invite = parseInviteJson(vector.invite)
  const isBare = vector.connectoid !== undefined
  const inviteHash = engine.sha256(encodeUtf8(isBare ? vector.connectoid : inviteWithoutK(invite)))
  const m1Hash = engine.sha256(base(vector.m1.data).subarray(1))
  const transcript = { m1: m1Hash, m2: engine.sha256(base(vector.m2.data).subarray(1)) }
  const first = parseMessage('guest', encodeUtf8(vector.m1.text), { inviteHash, m1Hash: null })!
  const second = parseMessage('host', encodeUtf8(vector.m2.text), { inviteHash, m1Hash })!
  const exporters = [hex(vector.m1.exporter), hex(vector.m2.exporter)] as const
  const agreed = engine.agree(hex(vector.guestSecret), second.dh)!
  const { ratchet, hostHeader, guestHeader, carriers } = makeRoot(engine, exporters, agreed, transcript)
  const nB = hex(vector.nB)
  const isKept = equalBytes(commitTo(engine, nB), first.promise)
  const signed = (message: typeof first, role: Role): boolean | null =>
    message.signed === null
      ? null
      : engine.verify(message.signed.sig, message.signed.message, hex(vector.deviceKeys[role]))
  return {
    inviteHash: formatHex(inviteHash),
    psk: isBare ? null : formatHex(invitePsk(engine, invite.k, inviteHash)),
    root: [ratchet, hostHeader, guestHeader, carriers].map(formatHex).join(''),
    words: isKept ? handshakeWords(engine, transcript, second.promise, nB) : null,
    guestSigned: signed(first, 'guest'),
    hostSigned: signed(second, 'host'),
  }
}

const INVITE_SECRET = sha('invite')
const GUEST_BOX_SECRET = sha('guest box')

function sha(text: string): Uint8Array {
  return portableEngine.sha256(encodeUtf8(text))
}

function sealed(
  type: 1 | 2 | 3,
  to: Uint8Array,
  aad: Uint8Array,
  psk: Uint8Array | null,
  text: Uint8Array,
): { readonly fields: MessageFields; readonly bytes: Uint8Array; readonly exporter: Uint8Array } {
  const info = type === BOX_TYPE.m2 ? LABEL_CHANNEL_M2 : LABEL_CHANNEL_M1
  const pskOf = psk === null ? [] : [psk, aad]
  const context = oracleSeal(ORACLE_SUITES.x25519, sha(`one-time ${type}`), to, info, ...pskOf)
  const bytes = Uint8Array.of(...context.enc, ...context.seal(0, aad, text))
  const exporter = context.export(LABEL_CHANNEL_EXPORT, 32)
  const data = formatBase64url(formatData(type, bytes))
  return { fields: { data, text: new TextDecoder().decode(text), exporter: formatHex(exporter) }, bytes, exporter }
}

interface Wishes {
  readonly isBare?: boolean
  readonly hasPersonas?: boolean
  readonly breaksPromise?: boolean
}

function meeting(name: string, section: number, comment: string, wishes: Wishes = {}): MeetingVector {
  const engine = portableEngine
  const invite = { ...PLAIN_INVITE, address: { ...PLAIN_INVITE.address, pub: engine.boxPublicKey(INVITE_SECRET) } }
  const connectoid = formatConnectoid(invite.address.pub, invite.address.where[0]!)
  const inviteHash = engine.sha256(encodeUtf8(wishes.isBare ? connectoid : inviteWithoutK(invite)))
  const [hostSecret, guestSecret] = [sha('dh host'), sha('dh guest')]
  const [nA, nB] = [sha('nA').slice(0, NONCE_BYTES), sha('nB').slice(0, NONCE_BYTES)]
  const device = (role: Role): { identity: Identity; key: string } => {
    const pair = engine.signKeyPair(sha(`device ${role}`))
    const identity = {
      card: `card of the ${role}`,
      sign: (message: Uint8Array) => engine.sign(message, pair.secretKey),
    }
    return { identity, key: formatHex(pair.publicKey) }
  }
  const addressOf = (secret: Uint8Array, host: string): string[] => [
    formatConnectoid(engine.boxPublicKey(secret), { url: `https://${host}.example/`, ext: null }),
  ]
  const [guest, host] = [device('guest'), device('host')]
  const shown = wishes.hasPersonas ? { guest: guest.identity, host: host.identity } : { guest: null, host: null }
  const m1Text = formatMessage(
    'guest',
    {
      app: invite.app,
      connectoid: addressOf(GUEST_BOX_SECRET, 'guest'),
      dh: engine.boxPublicKey(guestSecret),
      promise: commitTo(engine, nB),
      name: 'Bob',
    },
    shown.guest,
    { inviteHash, m1Hash: null },
  )
  const psk = wishes.isBare ? null : invitePsk(engine, invite.k, inviteHash)
  const m1 = sealed(wishes.isBare ? 2 : 1, invite.address.pub, inviteHash, psk, m1Text)
  const m1Hash = engine.sha256(m1.bytes)
  const m2Text = formatMessage(
    'host',
    {
      app: invite.app,
      connectoid: addressOf(sha('host box'), 'host'),
      dh: engine.boxPublicKey(hostSecret),
      promise: nA,
      name: 'Ada',
    },
    shown.host,
    { inviteHash, m1Hash },
  )
  const m2 = sealed(3, engine.boxPublicKey(GUEST_BOX_SECRET), m1Hash, m1.exporter, m2Text)
  const vector = {
    kind: 'meeting',
    name,
    section,
    comment,
    invite: formatInviteJson(invite),
    inviteSecret: formatHex(INVITE_SECRET),
    guestBoxSecret: formatHex(GUEST_BOX_SECRET),
    ...(wishes.isBare ? { connectoid } : {}),
    m1: m1.fields,
    m2: m2.fields,
    hostSecret: formatHex(hostSecret),
    guestSecret: formatHex(guestSecret),
    nB: formatHex(wishes.breaksPromise ? nA : nB),
    deviceKeys: wishes.hasPersonas ? { guest: guest.key, host: host.key } : { guest: '', host: '' },
  } as const
  const judged = judgeMeeting({ ...vector, expect: undefined as never, spoken: null }, engine)
  const spoken = judged.words?.map((index) => wordlist[index]!).join(' ') ?? null
  return { ...vector, expect: judged, spoken }
}

/** All vectors of handshakes. */
export function meetingVectors(): MeetingVector[] {
  return [
    meeting('good', 4, 'Two ends without a persona.'),
    meeting('personas', 3, 'Both ends show a card and sign.', { hasPersonas: true }),
    meeting('without-k', 5, 'The guest has a link without its fragment.', { isBare: true }),
    meeting('promise-broken', 5, 'The guest tells another nB than it promised.', { breaksPromise: true }),
  ]
}

/**
 * Handshakes as bytes, for the disk of one device: they hold secrets, and the caller seals them. The one-time key and the keys of return addresses
 * lie beside them. These bytes never travel (docs/channel.md, section 10).
 */
import { ChannelError, type ChannelErrorCode } from '../exchange/errors.ts'
import { Reader, Writer } from '../exchange/fields.ts'
import { formatConnectoids, parseConnectoids } from '../invite/address.ts'
import { formatInviteJson, parseInviteJson } from '../invite/invite.ts'
import type { GuestState } from './guest.ts'
import type { Answered, HostState } from './host.ts'

const VERSION = 1
const PHASES = ['waiting', 'ended'] as const

/** Writes the guest's state. The time of posting is left out: after a start M1 is posted again. */
export function formatGuest(state: GuestState): Uint8Array {
  const writer = new Writer()
  writer.u8(VERSION)
  writer.u8(PHASES.indexOf(state.phase))
  writer.texts([state.app])
  writer.optional(state.wanted, ({ personaId, epoch }) => {
    writer.bytes(personaId)
    writer.number(epoch)
  })
  writer.number(state.expiresAtMs)
  writer.bytes(state.inviteHash, state.data, state.m1Hash, state.exporter, state.dhSecret, state.nB)
  writer.texts(state.ownAt)
  writer.texts(formatConnectoids(state.hostAt))
  writer.optional(state.usedAtMs, (usedAtMs) => writer.number(usedAtMs))
  writer.u8(state.isIntercepted ? 1 : 0)
  writer.number(state.refused)
  return writer.whole()
}

/** Reads a guest's state. @throws {ChannelError} STATE_VERSION | STATE_DAMAGED */
export function parseGuest(bytes: Uint8Array): GuestState {
  return parsed(bytes, (reader) => {
    const phase = reader.oneOf(PHASES)
    const [app] = reader.texts()
    const wanted = reader.optional(() => ({ personaId: reader.bytes(), epoch: reader.number() }))
    const expiresAtMs = reader.number()
    const [inviteHash, data, m1Hash] = [reader.bytes(), reader.bytes(), reader.bytes()]
    const [exporter, dhSecret, nB] = [reader.bytes(), reader.bytes(), reader.bytes()]
    const [ownAt, hostAt] = [reader.texts(), parseConnectoids(reader.texts())]
    const usedAtMs = reader.optional(() => reader.number())
    const [isIntercepted, refused] = [reader.u8() === 1, reader.number()]
    const secrets = { inviteHash, data, m1Hash, exporter, dhSecret, nB }
    const times = { expiresAtMs, usedAtMs, postedAtMs: null }
    return { phase, app: app!, wanted, ...secrets, ownAt, hostAt, ...times, isIntercepted, refused }
  })
}

/** Writes an open invite. */
export function formatHost(state: HostState): Uint8Array {
  const writer = new Writer()
  const writeAnswered = ({ m1Hash }: Answered): void => writer.bytes(m1Hash)
  writer.u8(VERSION)
  writer.texts([formatInviteJson(state.invite)])
  writer.optional(state.claim, writeAnswered)
  writer.list(state.candidates, writeAnswered)
  writer.list(state.late, writeAnswered)
  writer.number(state.refused)
  return writer.whole()
}

/** Reads an open invite. @throws {ChannelError} STATE_VERSION | STATE_DAMAGED */
export function parseHost(bytes: Uint8Array): HostState {
  return parsed(bytes, (reader) => {
    const answered = (): Answered => ({ m1Hash: reader.bytes() })
    const [invite] = reader.texts()
    const [claim, candidates, late] = [reader.optional(answered), reader.list(answered), reader.list(answered)]
    return { invite: parseInviteJson(invite!), claim, candidates, late, refused: reader.number() }
  })
}

function parsed<State>(bytes: Uint8Array, read: (reader: Reader) => State): State {
  const fail = (code: ChannelErrorCode, message: string, cause?: unknown): ChannelError =>
    new ChannelError(code, message, { cause })
  if (bytes[0] !== VERSION) {
    throw fail(
      'STATE_VERSION',
      `this program does not know version ${bytes[0]} of stored handshakes; install a newer one`,
    )
  }
  try {
    const reader = new Reader(bytes, 1)
    const state = read(reader)
    reader.end()
    return state
  } catch (cause) {
    throw fail('STATE_DAMAGED', 'a stored handshake is damaged', cause)
  }
}

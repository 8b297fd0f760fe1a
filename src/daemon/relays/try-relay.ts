/** Tries a relay as a channel would use it: what it says of itself, then one box of a key that nobody else has. */
import { randomBytes } from 'node:crypto'
import type { RelayAbout } from '../../ipc/methods/relays.ts'
import type { RelayClient } from '../../relay/client.ts'
import { RelayError } from '../../relay/errors.ts'
import { callJson } from '../../relay/http-call.ts'
import { sendRight } from '../../relay/send-right.ts'
import { generateBoxKeyPair } from '../../seal/key-pair.ts'
import { NetError } from '../../netnode/errors.ts'
import { RelaysError } from './errors.ts'

const MAX_INFO_BYTES = 65_536 // sanity: the terms of an operator, and some twenty numbers
const MAX_TEXT_CHARS = 4096 // sanity: people read it
const PROBE_BYTES = 16

/**
 * @param token of the owner for this relay, or null
 * @throws {RelaysError} RELAY_UNUSABLE | RELAY_WANTS_TOKEN @throws {NetError} NET_UNIT_MISSING
 */
export async function tryRelay(client: RelayClient, token: string | null): Promise<RelayAbout> {
  const { url } = client.address
  try {
    const about = await readAbout(client)
    const pair = await generateBoxKeyPair('x25519')
    const ext = token === null ? null : await sendRight(token, pair.key)
    const probe = randomBytes(PROBE_BYTES)
    await client.post(pair.key, probe, { ext })
    // This answers a question: so the relay knows itself by this address, and reads the key as we do.
    const received = await client.receive(pair, 0)
    if (!received.some(({ data }) => probe.equals(data)))
      throw new RelaysError('RELAY_UNUSABLE', `${url} lost a message within a second`, 'use another relay')
    return about
  } catch (error) {
    throw refusalOf(error, url, token)
  }
}

/** What `GET /info` says. A relay of others need not have it. */
export async function readAbout({ address, means }: RelayClient): Promise<RelayAbout> {
  let [info, aheadMs]: [unknown, number | null] = [null, null]
  try {
    const { value, relayMs } = await callJson(means, { url: `${address.url}info`, method: 'GET' }, MAX_INFO_BYTES)
    info = value
    aheadMs = relayMs === null ? null : relayMs - means.clock.nowMs()
  } catch (error) {
    if (!(error instanceof RelayError && error.code === 'RELAY_STRANGE')) throw error
  }
  const { operator, terms, senders, software, version } = membersOf(info)
  const [name, about] = [membersOf(operator)['name'], membersOf(terms)]
  return {
    software: typeof software === 'string' ? textOf(`${software} ${textOf(version)}`) : null,
    operator: textOf(name),
    terms: textOf(about['text']),
    price: textOf(about['price']),
    needsToken: senders === 'token',
    aheadSec: aheadMs === null ? null : Math.round(aheadMs / 1000),
  }
}

function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value.trim().slice(0, MAX_TEXT_CHARS) : ''
}

function refusalOf(error: unknown, url: string, token: string | null): unknown {
  if (!(error instanceof RelayError)) return error
  if (error.cause instanceof NetError && error.cause.code === 'NET_UNIT_MISSING') return error.cause
  if (error.code === 'RELAY_BAD_EXT' && token === null) {
    const hint = 'ask its operator for a token, and add the relay with it'
    return new RelaysError('RELAY_WANTS_TOKEN', `${url} lets nobody send to you without a token`, hint, { url })
  }
  if (error.code === 'RELAY_BAD_EXT')
    return new RelaysError('RELAY_UNUSABLE', `${url} does not take this token`, 'ask its operator', { url })
  // The way to it knows more than "it cannot be reached".
  const reason = error.cause instanceof NetError ? error.cause.message : error.message
  const hint = 'check the address, or try later; confirm to add it as it is'
  return new RelaysError('RELAY_UNUSABLE', `${url} does not work as a relay: ${reason}`, hint, { url })
}

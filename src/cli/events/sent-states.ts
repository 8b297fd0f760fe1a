/** States of sent messages and causes of failures, in words that people know. */
import type { SentMessage, SentState } from '../../ipc/methods/messages.ts'
import { escapeText } from '../io/escape.ts'

const STATES: Readonly<Record<SentState, string>> = {
  queued: 'waits here for your store',
  stored: 'in your store; they do not know of it yet',
  notified: 'waits for their devices',
  received: 'received',
  failed: 'failed',
}

/** By the codes of relays and of the daemon. docs/messages.md, section 6, has those of messages that are wrong. */
const CAUSES: Readonly<Record<string, string>> = {
  EXPIRED: 'its 30 days are over',
  GONE: 'it is not here any more',
  MESSAGE_DAMAGED: 'what was kept of it here is damaged',
  MESSAGE_NO_DEVICE: 'no card lists a device that it was sealed to',
  MESSAGE_NO_INBOX: 'their card names no inbox',
  MESSAGE_NO_PERSONA: 'your persona was left',
  MESSAGE_NO_STORE: 'your card names no store',
  RELAY_NO_RIGHT: 'the relay keeps nothing for this persona without a token',
  RELAY_NO_STRANGERS: 'they take nothing from you',
  RELAY_SILENT: 'the relay did not answer',
  RELAY_STORE_FULL: 'your store is full',
  RELAY_TOO_BIG: 'the relay takes nothing so large',
  RELAY_UNREACHABLE: 'the relay could not be reached',
}

export function describeCause(code: string): string {
  const words = CAUSES[code]
  return words === undefined ? escapeText(code) : `${words} (${code})`
}

export function sentState(state: SentState, reason: string | null): string {
  return reason === null ? STATES[state] : `${STATES[state]}: ${describeCause(reason)}`
}

/** The state, and how many devices have the message where only some do. */
export function describeSent({ state, reason, devices, received }: SentMessage): string {
  const some = received > 0 && received < devices ? `; ${received} of ${devices} have it` : ''
  return `${sentState(state, reason)}${some}`
}

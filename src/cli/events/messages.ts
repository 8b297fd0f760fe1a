/** Events of messages, in one line each. */
import type { DaemonEvent } from '../../ipc/methods/events.ts'
import { escapeText } from '../io/escape.ts'
import { sentState } from './sent-states.ts'

type MessageEvent = Extract<DaemonEvent, { readonly event: `message.${string}` }>

export function describeMessageEvent({ event, data }: MessageEvent): string {
  const app = escapeText(data.app)
  switch (event) {
    case 'message.arrived':
      return `message ${data.number} for ${app} has come`
    case 'message.changed':
      return `message ${data.number} that ${app} sent: ${sentState(data.state, data.reason)}`
    case 'message.request':
      return `persona ${data.persona} is no contact, and sends messages for ${app}; nothing was fetched (persona pending)`
  }
}

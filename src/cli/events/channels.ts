/** Events of channels, in one line each. */
import type { DaemonEvent } from '../../ipc/methods/events.ts'
import type { ChannelAlarm } from '../../ipc/methods/channels.ts'
import { escapeText } from '../io/escape.ts'

type ChannelEvent = Extract<DaemonEvent, { readonly event: `channel.${string}` }>

const ALARMS: Readonly<Record<ChannelAlarm, string>> = {
  INVITE_TWICE:
    'a second person came with the same invite; the first may have been the wrong one: compare the words with them',
  INTERCEPTED: 'somebody else used the invite, perhaps you on another device; if it was not you, ask for a new one',
  MISBOUND: 'another persona came than that of the invite; nothing was sent to it',
}

export function describeChannelEvent({ event, data }: ChannelEvent): string {
  const channel = `channel ${data.id} (${escapeText(data.app)})`
  switch (event) {
    case 'channel.changed':
      return `${channel} is ${data.state}${data.reason === null ? '' : `: ${data.reason}`}`
    case 'channel.content':
      return `${channel} has contents up to number ${data.number}`
    case 'channel.delivered':
      return `${channel} delivered contents up to number ${data.upTo}`
    case 'channel.way':
      return `the direct way of ${channel} is ${data.direct}`
    case 'channel.alarm':
      return `ALARM ${channel}: ${ALARMS[data.code]} (${data.code})`
  }
}

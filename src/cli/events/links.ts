/** Events of app links, in one line each. */
import type { DaemonEvent } from '../../ipc/methods/events.ts'
import { escapeText } from '../io/escape.ts'

type LinkEvent = Extract<DaemonEvent, { readonly event: 'app.linked' | 'app.unlinked' }>

export function describeLinkEvent({ event, data }: LinkEvent): string {
  const [app, other] = [escapeText(data.app), escapeText(data.other)]
  if (event === 'app.unlinked') return `app ${app} is not linked with ${other} any more`
  return data.state === 'asked'
    ? `app ${app} asks to be linked with ${other} (persona app link ${app} ${other})`
    : `app ${app} is linked with ${other}`
}

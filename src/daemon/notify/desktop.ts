/** Shows a notice on the desktop (Desktop Notifications Specification 1.2, org.freedesktop.Notifications). */
import { hasService, withBus } from './bus.ts'
import { DbusWriter } from './dbus-message.ts'
import type { Notice, Urgency } from './texts.ts'

export const NOTIFICATIONS = 'org.freedesktop.Notifications'
const APP_NAME = 'personad'
const MAX_TEXT_LENGTH = 400 // sanity: more than the longest alarm with names; desktops show two or three lines
const NEW = 0 // replaces no notification that is there
const DESKTOP_DECIDES = -1 >>> 0 // how long it is shown
const URGENCY: Readonly<Record<Urgency, number>> = { low: 0, normal: 1 }

/** @throws {BusError} every code */
export async function showNotice(sockets: readonly string[], notice: Notice): Promise<void> {
  await withBus(sockets, async (call) => {
    await call({
      destination: NOTIFICATIONS,
      path: '/org/freedesktop/Notifications',
      interface: NOTIFICATIONS,
      member: 'Notify',
      signature: 'susssasa{sv}i',
      body: notifyBody(notice),
    })
  })
}

/** @throws {BusError} every code */
export async function hasDesktop(sockets: readonly string[]): Promise<boolean> {
  return await hasService(sockets, NOTIFICATIONS)
}

function notifyBody({ summary, body, urgency }: Notice): Uint8Array {
  return new DbusWriter()
    .text(APP_NAME)
    .u32(NEW)
    .text('') // no icon
    .text(cut(summary))
    .text(escapeMarkup(cut(body)))
    .array(4, () => {}) // no actions
    .array(8, (hints) => hints.align(8).text('urgency').signature('y').u8(URGENCY[urgency]))
    .u32(DESKTOP_DECIDES)
    .bytes()
}

/** Names come from strangers, and servers read the body as markup, with links and images. The summary is plain text everywhere. */
function escapeMarkup(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

function cut(text: string): string {
  return text.length <= MAX_TEXT_LENGTH ? text : `${text.slice(0, MAX_TEXT_LENGTH - 1).toWellFormed()}…`
}

/** `persona status`: the daemon and the persona, in sentences. */
import { activeDevice } from '../../core/table.ts'
import type { DaemonStatus } from '../../ipc/shapes/status.ts'
import { formatToxStatus } from '../tox/companion.ts'
import { withDaemon } from '../io/connect.ts'
import { print, type Context } from '../io/context.ts'
import { EXIT_DONE } from '../io/errors.ts'
import { escapeText, showName } from '../io/escape.ts'
import { countOf, formatTime } from '../io/layout.ts'

export async function status(context: Context): Promise<number> {
  const result = await withDaemon(context, (client) => client.call('status'))
  print(context, result, formatStatus(result, context.nowSec))
  return EXIT_DONE
}

export function formatStatus(status: DaemonStatus, nowSec: number): string[] {
  const { home, counts, store } = status
  const engine =
    status.engine === 'sodium'
      ? 'libsodium'
      : 'plain JavaScript, because libsodium does not load: slower, and secrets lie in ordinary memory'
  return [
    ...formatPersona(status, nowSec),
    ...status.notices.map((notice) => sentence(escapeText(notice))),
    '',
    `You know ${countOf(counts.contacts, 'persona')} and ${countOf(counts.provisional, 'friend')} without one yet; ${countOf(counts.devices, 'device')} in all.`,
    '',
    `The daemon is personad ${status.version}, process ${status.pid}, up since ${formatTime(status.startedAtSec, nowSec)}.`,
    `  state:        ${escapeText(home.stateDir)} (${store.kind}, schema ${store.schema})`,
    `  your socket:  ${escapeText(home.adminSocket)}`,
    `  apps' socket: ${escapeText(home.appSocket)}`,
    `  settings:     ${home.configFile === null ? 'the defaults, there is no file' : escapeText(home.configFile)}`,
    `  cryptography: ${engine}`,
    `  connections:  ${counts.connections}`,
    `  Tox profiles: ${status.profiles.watched === 0 ? 'none watched' : `${status.profiles.watched} watched: persona tox watch`}`,
    ...(status.tox === null ? [] : [`  companion:    ${formatToxStatus(status.tox)[0]!}`]),
  ]
}

function formatPersona(status: DaemonStatus, nowSec: number): string[] {
  const { persona } = status
  if (persona === null) return []
  const active = activeDevice(persona.devices)
  const age = status.freshness === null ? '' : `, ${status.freshness}`
  return [
    `Your persona is ${persona.personaId}.`,
    active === undefined
      ? 'It has no devices that chat: persona device add NAME --tox-profile FILE'
      : `It has ${countOf(persona.devices.length, 'device')}; the active one is ${showName(active.name, active.key)}.`,
    `Its table is number ${persona.seq} of epoch ${persona.epoch}, written ${formatTime(persona.timeSec, nowSec)}${age}; ${countOf(persona.bytesFree, 'byte')} are free in the status message.`,
  ]
}

function sentence(notice: string): string {
  return `${notice.charAt(0).toUpperCase()}${notice.slice(1)}.`
}

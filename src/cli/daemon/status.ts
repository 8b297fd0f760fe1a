/** `persona status`: first what needs the owner, then the persona and the daemon in sentences. */
import { activeDevice } from '../../core/table.ts'
import type { LinksStatus } from '../../ipc/methods/links.ts'
import type { MessagesStatus } from '../../ipc/methods/messages.ts'
import type { DaemonStatus } from '../../ipc/methods/status.ts'
import type { Finding } from '../../ipc/shapes/doctor.ts'
import type { NetStatus } from '../../ipc/shapes/net.ts'
import { formatToxStatus } from '../tox/companion.ts'
import { announcedWhere } from '../io/announced.ts'
import { withDaemon } from '../io/connect.ts'
import { print, sentence, type Context } from '../io/context.ts'
import { EXIT_DONE } from '../io/errors.ts'
import { escapeText, showName } from '../io/escape.ts'
import { countOf, formatTime, tableNumbers } from '../io/layout.ts'
import { formatNeeds, needsOf, NO_NEEDS } from '../io/needs.ts'
import { adviceOf } from '../io/next-steps.ts'

export async function status(context: Context): Promise<number> {
  const { result, needs } = await withDaemon(context, async (client) => {
    return { result: await client.call('status'), needs: context.json ? NO_NEEDS : await needsOf(client) }
  })
  print(context, result, [...formatNeeds(needs), ...formatStatus(result, context.nowSec, context.verbose)])
  return EXIT_DONE
}

export function formatStatus(status: DaemonStatus, nowSec: number, verbose = false): string[] {
  const { home, counts, store } = status
  const engine =
    status.engine === 'sodium'
      ? 'libsodium'
      : 'plain JavaScript, because libsodium does not load; slower, and secrets lie in ordinary memory'
  return [
    ...formatSummary(status, nowSec, verbose),
    '',
    formatKnown(status),
    '',
    `The daemon is personad ${status.version}.`,
    `  process:       ${status.pid}, running since ${formatTime(status.startedAtSec, nowSec)}`,
    `  state:         ${escapeText(home.stateDir)} (${store.kind}, schema ${store.schema})`,
    `  your socket:   ${escapeText(home.adminSocket)}`,
    `  apps' socket:  ${escapeText(home.appSocket)}`,
    `  configuration: ${home.configFile === null ? 'defaults (no file)' : escapeText(home.configFile)}`,
    `  cryptography:  ${engine}`,
    `  connections:   ${counts.connections}`,
    `  Tox profiles:  ${status.profiles.watched === 0 ? 'none watched' : `${status.profiles.watched} watched (persona tox watch)`}`,
    ...formatMessages(status.messages),
    ...formatLinks(status.links),
    ...(status.net === null ? [] : [`  network:       ${formatNet(status.net)}`]),
    ...(status.tox === null ? [] : [`  companion:     ${formatToxStatus(status.tox)[0]!}`]),
  ]
}

/** The own persona, and each finding about it with its command. */
export function formatSummary(status: DaemonStatus, nowSec: number, verbose = false): string[] {
  return [...formatPersona(status, nowSec, verbose), ...status.findings.flatMap(formatFinding)]
}

/** The people that the daemon knows. */
export function formatKnown({ counts, announce }: DaemonStatus): string {
  const friends = countOf(counts.provisional, 'friend')
  const { shortsUnknown } = announce
  const shorts =
    shortsUnknown === 0
      ? ''
      : ` ${countOf(shortsUnknown, 'device')} ${shortsUnknown === 1 ? 'shows' : 'show'} a short status that leads to no table known here.`
  return `You know ${countOf(counts.contacts, 'persona')}, and ${friends} without a persona; ${countOf(counts.devices, 'device')} in all.${shorts}`
}

function formatMessages({ unread, fetching, waiting }: MessagesStatus): string[] {
  if (unread + fetching + waiting === 0) return []
  return [`  messages:      ${unread} not read yet, ${fetching} on their way here, ${waiting} not delivered yet`]
}

/** Links between apps that stand still or ask are findings above. */
function formatLinks({ linked, invited }: LinksStatus): string[] {
  if (linked + invited === 0) return []
  return [
    `  app links:     ${linked} ${linked === 1 ? 'stands' : 'stand'}${invited === 0 ? '' : `, ${countOf(invited, 'invite')} not used yet`}`,
  ]
}

/** The state in words. */
const NET_STATES: Readonly<Record<NetStatus['state'], string>> = {
  down: 'personad-net does not run',
  starting: 'personad-net starts',
  running: 'personad-net runs',
  waiting: 'personad-net has ended and will start again',
}

/** Counts of packets that came over the DHT and were no answer that we could use. */
const REFUSED = ['fromStrangers', 'truncated', 'malformed', 'unmatched', 'lying']

export function formatNet({ state, how, dht }: NetStatus): string {
  const place = how === 'unit' ? ', as a service of its own' : ''
  if (dht === null) return `${NET_STATES[state]}${place}`
  const sum = (names: readonly string[]): number => names.reduce((total, name) => total + (dht[name] ?? 0), 0)
  const megabytes = sum(['sentBytes', 'receivedBytes']) / 1_000_000
  const refused = sum(REFUSED)
  const no = refused === 0 ? '' : `, ${countOf(refused, 'packet')} refused`
  return `${NET_STATES[state]}${place}; ${megabytes.toFixed(1)} MB over the DHT${no}`
}

function formatPersona(status: DaemonStatus, nowSec: number, verbose: boolean): string[] {
  const { persona } = status
  if (persona === null) return []
  const active = activeDevice(persona.devices)
  const announced = announcedWhere(status.announce, nowSec)
  const age = status.freshness === null || status.freshness === 'fresh' ? '' : `, ${status.freshness}`
  return [
    `Your persona is ${persona.personaId}.`,
    ...(active === undefined
      ? ['It has no device that chats yet. To add one:', '  persona device add NAME --tox-profile FILE']
      : [
          `It has ${countOf(persona.devices.length, 'device')}; the active one is ${showName(active.name, active.key)}.`,
        ]),
    ...(announced === null ? [] : [`It is ${announced}.`]),
    `Its table was signed ${formatTime(persona.timeSec, nowSec)}${age}${tableNumbers(verbose, persona)}.`,
    `${countOf(persona.bytesFree, 'byte')} of its status message are free.`,
  ]
}

// The advice stands on its own line, because a command must not end in a dot.
function formatFinding({ code, message, hint, about }: Finding): string[] {
  const advice = adviceOf(code, hint, about)
  return [sentence(escapeText(message)), ...(advice === null ? [] : [`  -> ${escapeText(advice)}`])]
}

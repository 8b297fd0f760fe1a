/** Lists alarms, pending changes, senders of messages and requests of apps, which need the owner: each on a line, with its command on the next. */
import type { Client } from '../../ipc/client.ts'
import type { Alarm } from '../../ipc/shapes/alarms.ts'
import type { Contact } from '../../ipc/shapes/contact.ts'
import type { PendingUpdate } from '../../ipc/shapes/pending.ts'
import { sentence } from './context.ts'
import { bold, red } from './style.ts'
import { escapeText, showName } from './escape.ts'
import { countOf } from './layout.ts'
import { placesOf, requestsOf } from './requests.ts'

const MAX_LINES = 5 // sanity: of each kind; the commands list all

export interface Needs {
  readonly alarms: readonly Alarm[]
  /** The first ones only. */
  readonly pending: readonly PendingUpdate[]
  /** How many people who are no contacts send messages. */
  readonly senders: number
  /** How many apps propose relays for themselves. */
  readonly proposing: number
  /** How many apps ask for permission. */
  readonly asking: number
}

export const NO_NEEDS: Needs = { alarms: [], pending: [], senders: 0, proposing: 0, asking: 0 }

export async function needsOf(client: Client): Promise<Needs> {
  const { alarms } = await client.call('alarm.list')
  const { pending } = await client.call('pending.list', { limit: MAX_LINES + 1 })
  const senders = new Set((await requestsOf(client)).map(({ persona }) => persona)).size
  const { apps } = await client.call('app.list')
  const proposing = (await placesOf(client)).length
  return { alarms, pending, senders, proposing, asking: apps.filter(({ asks }) => asks !== null).length }
}

/** The lines that come before everything else; with an empty line at the end if there are any. */
export function formatNeeds({ alarms, pending, senders, proposing, asking }: Needs): string[] {
  const lines = [
    ...formatAlarms(alarms),
    ...pending.slice(0, MAX_LINES).map((update) => {
      const who = showName(update.contact, update.key ?? update.personaId)
      return sentence(`a change of ${who} needs your decision`)
    }),
    ...(pending.length > MAX_LINES ? ['More changes need your decision.'] : []),
    ...(senders === 0
      ? []
      : [
          sentence(
            `${countOf(senders, 'person who is no contact sends', 'people who are no contacts send')} you messages`,
          ),
        ]),
    ...(proposing === 0
      ? []
      : [sentence(`${countOf(proposing, 'app proposes', 'apps propose')} other relays for messages`)]),
    ...(pending.length + senders + proposing === 0 ? [] : ['  -> persona pending']),
    ...(asking === 0
      ? []
      : [sentence(`${countOf(asking, 'app asks', 'apps ask')} for permission`), '  -> persona app pending']),
  ]
  return lines.length === 0 ? [] : [...lines, '']
}

/** One line for each alarm, the last one first, and the command that explains them. */
export function formatAlarms(alarms: readonly Alarm[]): string[] {
  if (alarms.length === 0) return []
  const more = alarms.length - MAX_LINES
  return [
    ...alarms.slice(0, MAX_LINES).map(formatAlarmLine),
    ...(more > 0 ? [`${countOf(more, 'more alarm')}.`] : []),
    '  -> persona alarms',
  ]
}

function formatAlarmLine({ code, message }: Alarm): string {
  return `${bold(red('ALARM'))}: ${escapeText(message)} (${escapeText(code)}).`
}

/** Whether an alarm is about this contact: its persona, or one of the devices of a friend without a persona. */
export function isAbout({ personaId, keys }: Alarm, contact: Contact): boolean {
  if (contact.personaId !== null) return personaId === contact.personaId
  return contact.devices.some(({ key }) => keys.includes(key))
}

/** The reports of this command, for {@link alarmsAfter}. */
export interface Reported {
  readonly from: string
  readonly personaId: string | null
}

/** The alarms that concern these reports and were raised since then. */
export async function alarmsAfter(client: Client, reported: readonly Reported[], sinceSec: number): Promise<Alarm[]> {
  const { alarms } = await client.call('alarm.list')
  const keys = new Set(reported.map(({ from }) => from))
  const personas = new Set(reported.map(({ personaId }) => personaId))
  return alarms.filter(
    ({ personaId, keys: about, lastSec }) =>
      lastSec >= sinceSec && ((personaId !== null && personas.has(personaId)) || about.some((key) => keys.has(key))),
  )
}

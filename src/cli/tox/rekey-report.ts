/** What `persona tox rekey` reports: what was made, what was left out, and what is still to be done. */
import type { OwnTable, StatusMessage } from '../../ipc/shapes/own.ts'
import type { Failure } from '../io/errors.ts'
import { escapeText, showName } from '../io/escape.ts'
import { countOf } from '../io/layout.ts'

/** What `--json` prints. */
export interface RekeyReport {
  from: string
  file: string
  device: string
  /** ToxPk of the new device. */
  key: string
  toxId: string
  encrypted: boolean
  friends: number
  /** Friends who have not accepted yet: the new device asks them as well. */
  requests: number
  /** Sections that were left out, by name. */
  dropped: string[]
  /** The file that --force replaced. */
  backup: string | null
  /** A client that runs on the old profile: what it has not saved is not in the new one. */
  running: string | null
  /** The old profile is that of a device in the table. */
  fromListed: boolean
  /** What became of the table: in it and shown by the profile, or why not. */
  persona: 'published' | 'no-daemon' | 'no-persona' | 'failed'
  table: OwnTable | null
  status: StatusMessage | null
  /** The own words did not fit beside the token. */
  wordsDropped: boolean
  /** Why the device is not in the table, or the profile does not show it. The profile is written all the same. */
  error: Failure | null
}

export function formatRekeyed(report: RekeyReport): string[] {
  const befriend = `persona tox friends ${word(report.from)} add ${report.key} --name ${word(report.device)}`
  return [
    `made ${escapeText(report.file)}${report.encrypted ? ', encrypted' : ''}: ${countOf(report.friends, 'friend')}, the old device among them`,
    `Tox ID:  ${report.toxId}`,
    ...(report.backup === null ? [] : [`backup:  ${escapeText(report.backup)}`]),
    ...leftOut(report),
    ...tableLines(report),
    '',
    'what is left to do:',
    ...tasks(report).map((task) => `  ${task}`),
    `  ${befriend}   # your devices then connect to each other`,
    'from now on each device has a file of its own: never copy one over the other',
  ]
}

function leftOut(report: RekeyReport): string[] {
  const { dropped, requests, running } = report
  const isChat = (name: string): boolean => name === 'CONFERENCES' || name === 'GROUPS'
  const chats = dropped.filter(isChat)
  const nodes = dropped.filter((name) => !isChat(name))
  return [
    ...(chats.length === 0
      ? []
      : [`left out: ${chats.join(' and ')}, where both devices would claim one place; join again on the new one`]),
    ...(nodes.length === 0 ? [] : [`left out: ${nodes.join(' and ')}, as asked`]),
    ...(requests === 0
      ? []
      : [
          `${countOf(requests, 'friend request')} not answered yet: the new device will send ${requests === 1 ? 'it' : 'them'} as well`,
        ]),
    ...(running === null
      ? []
      : [`${escapeText(running)} runs on the old profile: what it has not saved is not in the new one`]),
  ]
}

function tableLines({ persona, device, table, status, wordsDropped, error }: RekeyReport): string[] {
  const name = showName(device, null)
  switch (persona) {
    case 'published': {
      const dropped = wordsDropped ? ['your own words were left out: they do not fit beside the token'] : []
      return [
        `${name} is in your table, number ${table?.seq}, and the profile shows it (${status?.bytes} bytes)`,
        ...dropped,
      ]
    }
    case 'failed': {
      const why = `${escapeText(error?.message ?? '')} (${error?.code})`
      return [
        table === null
          ? `${name} is not in your table: ${why}`
          : `${name} is in your table, but the profile does not show it: ${why}`,
      ]
    }
    case 'no-daemon':
      return [`no daemon runs, so ${name} is in no table yet`]
    case 'no-persona':
      return [`you have no persona yet, so ${name} is in no table`]
  }
}

/** The commands that make the two devices one person, as far as they were not done. */
function tasks({ persona, from, file, device, table, fromListed }: RekeyReport): string[] {
  const add = `persona device add ${word(device)} --tox-profile ${word(file)}`
  const publish = `persona tox publish ${word(file)}`
  const tellFriends = `persona tox publish ${word(from)}   # friends learn of the new device from the old one`
  const addOld = fromListed ? [] : [`persona device add NAME --tox-profile ${word(from)}`]
  switch (persona) {
    case 'published':
      return [...addOld, tellFriends]
    case 'failed':
      return [...(table === null ? [add] : []), publish, ...addOld, tellFriends]
    case 'no-daemon':
      return ['personad   # or: persona service install', add, publish, tellFriends]
    case 'no-persona':
      return [`persona init --device NAME --tox-profile ${word(from)}`, add, publish, tellFriends]
  }
}

/** One word of a command line, as a shell takes it: these lines are made to be copied. */
function word(text: string): string {
  return /^[\w./-]+$/.test(text) ? text : `'${escapeText(text).replaceAll("'", "'\\''")}'`
}

/** The report of `persona tox rekey`: the new profile, what it left out, and the next steps. */
import type { OwnTable, StatusMessage } from '../../ipc/shapes/own.ts'
import type { Failure } from '../io/errors.ts'
import { escapeText, showName } from '../io/escape.ts'
import { countOf, tableNumbers } from '../io/layout.ts'
import { formatLeftOut } from './words.ts'

/** Printed by `--json`. */
export interface RekeyReport {
  from: string
  file: string
  device: string
  /** ToxPk of the new device. */
  key: string
  toxId: string
  encrypted: boolean
  friends: number
  /** Unanswered friend requests; the new device sends them too. */
  requests: number
  /** Names of the sections that were left out. */
  dropped: string[]
  /** The file that --force replaced. */
  backup: string | null
  /** A client that has the old profile open. Its unsaved changes are not in the new profile. */
  running: string | null
  /** The old profile belongs to a device in the table. */
  fromListed: boolean
  /** Whether the device is in the table and its profile shows the table, or why not. */
  persona: 'published' | 'no-daemon' | 'no-persona' | 'failed'
  table: OwnTable | null
  status: StatusMessage | null
  /** The own words did not fit beside the blob. */
  wordsDropped: boolean
  /** The words that did not fit, kept for the next publish; empty if all did. */
  leftOut: string
  bytesOver: number
  /** Why the device is not in the table, or the profile does not show it. The profile is written all the same. */
  error: Failure | null
}

export function formatRekeyed(report: RekeyReport, verbose = false): string[] {
  const befriend = `persona tox friends ${word(report.from)} add ${report.key} --name ${word(report.device)}`
  return [
    `created ${escapeText(report.file)}${report.encrypted ? ' (encrypted)' : ''} with ${countOf(report.friends, 'friend')}, including your old device`,
    `Tox ID:  ${report.toxId}`,
    ...(report.backup === null ? [] : [`backup:  ${escapeText(report.backup)}`]),
    ...leftOut(report),
    ...tableLines(report, verbose),
    '',
    'next steps:',
    ...tasks(report).map((task) => `  ${task}`),
    `  ${befriend}   # lets your devices connect to each other`,
    'each device now has its own profile: never copy one over the other',
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
      : [`left out: ${chats.join(' and ')}, because two devices cannot share one place; join again on the new device`]),
    ...(nodes.length === 0 ? [] : [`left out: ${nodes.join(' and ')}, as you asked`]),
    ...(requests === 0
      ? []
      : [
          `${countOf(requests, 'unanswered friend request')}: the new device also sends ${requests === 1 ? 'it' : 'them'}`,
        ]),
    ...(running === null
      ? []
      : [`${escapeText(running)} has the old profile open; its unsaved changes are not in the new one`]),
  ]
}

function tableLines(report: RekeyReport, verbose: boolean): string[] {
  const { persona, device, table, error } = report
  const name = showName(device, null)
  switch (persona) {
    case 'published': {
      const numbers = table === null ? '' : tableNumbers(verbose, table)
      return [`${name} is in your table, and the new profile shows the table${numbers}`, ...formatLeftOut(report)]
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
      return [`${name} is not in your table yet, because no daemon runs`]
    case 'no-persona':
      return [`${name} is not in a table yet, because you have no persona`]
  }
}

/** The commands that are still needed to make the two devices one persona. */
function tasks({ persona, from, file, device, table, fromListed }: RekeyReport): string[] {
  const add = `persona device add ${word(device)} --tox-profile ${word(file)}`
  const publish = `persona tox publish ${word(file)}`
  const tellFriends = `persona tox publish ${word(from)}   # friends learn of the new device from the old one`
  const publishAll = 'persona publish   # friends learn of the new device from the old one'
  const addOld = fromListed ? [] : [`persona device add NAME --tox-profile ${word(from)}`]
  switch (persona) {
    case 'published':
      return [...addOld, publishAll]
    case 'failed':
      return [...(table === null ? [add] : []), ...addOld, publishAll]
    case 'no-daemon':
      return ['personad   # or: persona service install', add, publish, tellFriends]
    case 'no-persona':
      return [`persona init --device NAME --tox-profile ${word(from)}`, add, publishAll]
  }
}

/** Quotes one word of a command line for the shell: people copy these lines. */
function word(text: string): string {
  return /^[\w./-]+$/.test(text) ? text : `'${escapeText(text).replaceAll("'", "'\\''")}'`
}

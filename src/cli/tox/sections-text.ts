/** Formats the sections of a profile for people. */
import { escapeText, keyTail, showName } from '../io/escape.ts'
import { countOf, formatTable } from '../io/layout.ts'
import type { ConferenceReport, GroupReport, SectionReport } from './sections.ts'

/** One line for each section, and its content indented below. */
export function formatSections(report: {
  readonly sections: readonly SectionReport[]
  readonly slackBytes: number
}): string[] {
  const slack = report.slackBytes === 0 ? '' : `; ${countOf(report.slackBytes, 'byte')} after the end mark`
  return [`sections: ${report.sections.length}${slack}`, ...report.sections.flatMap(formatSection)]
}

function formatSection(section: SectionReport): string[] {
  const { type, name, bytes, sha256, error } = section
  const title = `  ${name ?? 'unknown'} (type ${type}), ${countOf(bytes, 'byte')}`
  if (error !== null) return [`${title}, cannot be read: ${escapeText(error.message)} (${error.code})`]
  if (sha256 !== null) return [`${title}, SHA-256 ${sha256}`]
  return [title, ...contentOf(section).map((line) => `    ${line}`)]
}

function contentOf({ nodes, conferences, groups }: SectionReport): string[] {
  if (nodes !== undefined) {
    const rows = nodes.map(({ transport, ip, port, key }) => [transport, ip, String(port), key])
    return formatTable(['', '', '', ''], rows).slice(1)
  }
  return [...(conferences ?? []).flatMap(formatConference), ...(groups ?? []).flatMap(formatGroup)]
}

function formatConference({ kind, id, title, ownNumber, peers }: ConferenceReport): string[] {
  const name = title === '' ? 'no title' : title
  return [
    `${showName(name, null)}, ${kind}, id ${id}, own number ${ownNumber}, ${countOf(peers.length, 'peer')}`,
    ...peers.map(({ nick, key }) => `  ${showName(nick === '' ? 'no name' : nick, key)}`),
  ]
}

function formatGroup(group: GroupReport): string[] {
  const { name, chatId, topic, self, moderators, secrets } = group
  return [
    `${showName(name, null)}, chat ID ${chatId}, own name ${showName(self.nick, self.key)}`,
    `  topic: ${topic === '' ? 'none' : escapeText(topic)}`,
    ...(moderators.length === 0 ? [] : [`  moderators: ${moderators.map(keyTail).join(', ')}`]),
    ...(secrets === undefined ? [] : [`  own secret: ${secrets.selfSecretKey}`, `  password: ${secrets.password}`]),
  ]
}

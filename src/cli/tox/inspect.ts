/** `persona tox inspect`: shows everything in a profile, without a daemon. Secret keys only with --secrets. */
import { formatHex } from '../../core/encoding/bytes.ts'
import type { Engine } from '../../core/engine.ts'
import { judgeText } from '../../ipc/shapes/judge-text.ts'
import type { VerifyResult } from '../../ipc/shapes/judged.ts'
import { formatToxId } from '../../tox/save/address.ts'
import { USER_STATUSES, type UserStatus } from '../../tox/save/edit.ts'
import { findingsOf, type Finding } from '../../tox/save/findings.ts'
import { readFriends, type ToxFriend } from '../../tox/save/friends.ts'
import {
  SECTION_USER_STATUS,
  endMark,
  readKeys,
  readName,
  readStatusMessage,
  sectionData,
} from '../../tox/save/savefile.ts'
import { print, type Context } from '../io/context.ts'
import { EXIT_DONE } from '../io/errors.ts'
import { escapeText, showName } from '../io/escape.ts'
import { exported, type ExportedFriend } from './friends-export.ts'
import { cutText, formatTime } from '../io/layout.ts'
import { profileOpener, type OpenProfile } from './open.ts'
import { formatSections } from './sections-text.ts'
import { reportSections, type SectionReport } from './sections.ts'

const MAX_WORDS_COLUMNS = 60 // sanity: one line a friend; --json has the whole text

export interface InspectOptions {
  readonly passphraseFile?: string
  readonly yaml?: true
  /** Also show secret keys and passwords */
  readonly secrets?: true
}

/** Printed by `--json`. */
export interface InspectReport {
  file: string
  encrypted: boolean
  name: string
  /** ToxPk, 64 upper-case hex digits. */
  key: string
  /** 76 upper-case hex digits, to give to friends. */
  toxId: string
  /** Only with --secrets: 64 hex digits. Anybody who has them can be this device. */
  secretKey?: string
  /** Null if the profile holds an unknown value. */
  userStatus: UserStatus | null
  fileMtimeSec: number
  /** The profile's own status message, judged as shown by this device. */
  status: VerifyResult
  friends: InspectedFriend[]
  /** Records that Tox clients skip silently. */
  skipped: { key: string; problem: string }[]
  /** Every section in its order. */
  sections: SectionReport[]
  /** Bytes after the end mark; they mean nothing. */
  slackBytes: number
  /** Everything wrong or odd. */
  findings: Finding[]
}

export interface InspectedFriend extends Omit<ExportedFriend, 'statusMessage'> {
  /** False until the friend accepts the request. */
  confirmed: boolean
  /** Null if the record holds an unknown value. */
  userStatus: UserStatus | null
  status: VerifyResult
}

export async function inspect(context: Context, file: string, options: InspectOptions): Promise<number> {
  const open = profileOpener({ file: options.passphraseFile, option: '--passphrase-file' })
  const report = inspectProfile(await open(file), context.nowSec, options.secrets === true)
  if (options.yaml === true && !context.json) process.stdout.write((await import('../io/yaml.ts')).formatYaml(report))
  else print(context, report, formatInspected(report, context.nowSec))
  return EXIT_DONE
}

export function inspectProfile(opened: OpenProfile, nowSec: number, withSecrets: boolean): InspectReport {
  const { file, profile, access, key } = opened
  const { save, isEncrypted, fileMtimeSec } = profile
  const keys = readKeys(save, access.engine)
  const { friends, problems } = readFriends(save)
  const judge = judgeWith(access.engine, nowSec)
  return {
    file,
    encrypted: isEncrypted,
    name: readName(save).text,
    key,
    toxId: formatToxId(keys),
    ...(withSecrets ? { secretKey: formatHex(keys.secretKey) } : {}),
    userStatus: USER_STATUSES[sectionData(save, SECTION_USER_STATUS)?.[0] ?? 0] ?? null,
    fileMtimeSec,
    status: judge(readStatusMessage(save).text, key),
    friends: friends.map((friend) => inspectFriend(friend, judge)),
    skipped: problems.map(({ publicKey, problem }) => ({ key: formatHex(publicKey), problem })),
    sections: reportSections(save, withSecrets),
    slackBytes: Math.max(0, save.tail.length - endMark().length),
    findings: findingsOf(save),
  }
}

type Judge = (text: string, from: string) => VerifyResult

function inspectFriend(friend: ToxFriend, judge: Judge): InspectedFriend {
  const { statusMessage, ...fields } = exported(friend)
  return {
    ...fields,
    confirmed: friend.isConfirmed,
    userStatus: USER_STATUSES[friend.userStatus] ?? null,
    status: judge(statusMessage, fields.key),
  }
}

function judgeWith(engine: Engine, nowSec: number): Judge {
  return (text, from) => judgeText(text, from, engine, nowSec)
}

function formatInspected(report: InspectReport, nowSec: number): string[] {
  const { secretKey } = report
  return [
    `name:     ${showName(report.name, null)}`,
    `Tox ID:   ${report.toxId}`,
    ...(secretKey === undefined ? [] : [`secret:   ${secretKey}`]),
    `file:     ${escapeText(report.file)}${report.encrypted ? ' (encrypted)' : ''}, written ${formatTime(report.fileMtimeSec, nowSec)}`,
    `status:   ${describeStatus(report.status)}`,
    `away:     ${report.userStatus ?? 'unknown'}`,
    '',
    `friends:  ${report.friends.length}`,
    ...report.friends.flatMap((friend) => formatFriend(friend, nowSec)),
    '',
    ...formatSections(report),
    ...(report.findings.length === 0 ? [] : ['']),
    ...report.findings.map(({ code, message }) => `note: ${escapeText(message)} (${code})`),
  ]
}

function formatFriend(friend: InspectedFriend, nowSec: number): string[] {
  const title = `  ${showName(friend.name === '' ? 'no name' : friend.name, null)}  ${friend.key}`
  if (friend.confirmed) return [title, `    ${lastSeen(friend, nowSec)}; ${describeStatus(friend.status)}`]
  const sent = friend.state === 'added' ? 'request not sent yet' : 'request sent'
  const text = `"${cutText(escapeText(friend.request ?? ''), MAX_WORDS_COLUMNS)}"`
  return [title, `    has not accepted yet; ${sent}: ${text}`, `    Tox ID ${friend.toxId}`]
}

function lastSeen({ lastSeenSec }: InspectedFriend, nowSec: number): string {
  return lastSeenSec === 0 ? 'never seen' : `last seen ${formatTime(lastSeenSec, nowSec)}`
}

function describeStatus(status: VerifyResult): string {
  const words = status.words === '' ? 'no words' : `"${cutText(escapeText(status.words), MAX_WORDS_COLUMNS)}"`
  if (status.code === 'NO_TOKEN') return words
  if (!status.valid) return `${words}, with an invalid blob: ${escapeText(status.message)} (${status.code})`
  const doubt = status.listsSender === false ? ', but its table does not list this device' : ''
  return `${words}, with a valid blob of persona ${status.blob!.personaId}${doubt}`
}

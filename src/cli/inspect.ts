/** `persona tox inspect`: what a profile shows, judged here and now; no daemon, and never a secret key. */
import { formatHex } from '../core/bytes.ts'
import type { Engine } from '../core/engine.ts'
import { judgeText } from '../ipc/judgement.ts'
import type { VerifyResult } from '../ipc/shapes.ts'
import { formatToxId } from '../tox/address.ts'
import { readFriends } from '../tox/friends.ts'
import { readKeys, readName, readStatusMessage } from '../tox/savefile.ts'
import { friendStatuses } from '../tox/scan.ts'
import { print, type Context } from './context.ts'
import { EXIT_DONE } from './errors.ts'
import { escapeText, showName } from './escape.ts'
import { cutText, formatTime } from './layout.ts'
import { profileOpener, type OpenProfile } from './profiles.ts'

const MAX_WORDS_COLUMNS = 60 // sanity: one line a friend; --json has the whole text

/** What `--json` prints. */
export interface InspectReport {
  file: string
  encrypted: boolean
  name: string
  /** ToxPk, 64 upper-case hex digits. */
  key: string
  /** 76 upper-case hex digits, to give to friends. */
  toxId: string
  fileMtimeSec: number
  /** The profile's own status message, judged as shown by this device. */
  status: VerifyResult
  friends: InspectedFriend[]
  /** Records that Tox clients skip silently. */
  skipped: { key: string; problem: string }[]
}

export interface InspectedFriend {
  name: string
  key: string
  /** False while only a request was sent. */
  confirmed: boolean
  /** 0 for never. */
  lastSeenSec: number
  status: VerifyResult
}

export async function inspect(
  context: Context,
  file: string,
  options: { readonly passphraseFile?: string },
): Promise<number> {
  const open = profileOpener({ file: options.passphraseFile, option: '--passphrase-file' })
  const report = inspectProfile(await open(file), context.nowSec)
  print(context, report, formatInspected(report, context.nowSec))
  return EXIT_DONE
}

function inspectProfile({ file, profile, access, key }: OpenProfile, nowSec: number): InspectReport {
  const { save, isEncrypted, fileMtimeSec } = profile
  const { nospam, publicKey } = readKeys(save, access.engine)
  const { friends, problems } = readFriends(save)
  const confirmed = new Set(friends.filter((friend) => friend.isConfirmed).map((friend) => formatHex(friend.publicKey)))
  const judge = judgeWith(access.engine, nowSec)
  return {
    file,
    encrypted: isEncrypted,
    name: readName(save).text,
    key,
    toxId: formatToxId({ publicKey, nospam }),
    fileMtimeSec,
    status: judge(readStatusMessage(save).text, key),
    friends: friendStatuses(save, fileMtimeSec).statuses.map((friend) => {
      const friendKey = formatHex(friend.publicKey)
      const { name, lastSeenSec, statusText } = friend
      return {
        name,
        key: friendKey,
        confirmed: confirmed.has(friendKey),
        lastSeenSec,
        status: judge(statusText, friendKey),
      }
    }),
    skipped: problems.map(({ publicKey, problem }) => ({ key: formatHex(publicKey), problem })),
  }
}

function judgeWith(engine: Engine, nowSec: number): (text: string, from: string) => VerifyResult {
  return (text, from) => judgeText(text, from, engine, nowSec)
}

function formatInspected(report: InspectReport, nowSec: number): string[] {
  const skipped = report.skipped.map(
    ({ key, problem }) => `skipped: a record of ${key} (${problem}), as Tox clients skip it`,
  )
  return [
    `name:     ${showName(report.name, null)}`,
    `Tox ID:   ${report.toxId}`,
    `file:     ${escapeText(report.file)}${report.encrypted ? ' (encrypted)' : ''}, written ${formatTime(report.fileMtimeSec, nowSec)}`,
    `status:   ${statusInWords(report.status)}`,
    '',
    `friends:  ${report.friends.length}`,
    ...report.friends.flatMap((friend) => [
      `  ${showName(friend.name === '' ? 'no name' : friend.name, null)}  ${friend.key}`,
      `    ${friend.confirmed ? `last seen ${formatTime(friend.lastSeenSec, nowSec)}` : 'has not accepted yet'}; ${statusInWords(friend.status)}`,
    ]),
    ...skipped,
  ]
}

function statusInWords(status: VerifyResult): string {
  const words = status.words === '' ? 'no words' : `"${cutText(escapeText(status.words), MAX_WORDS_COLUMNS)}"`
  if (status.valid) return `${words}, a valid blob of persona ${status.blob!.personaId}${bindingOf(status)}`
  return status.code === 'NO_TOKEN'
    ? words
    : `${words}, a blob that is refused: ${escapeText(status.message)} (${status.code})`
}

function bindingOf(status: VerifyResult): string {
  return status.listsSender === false ? ', which does not list this device' : ''
}

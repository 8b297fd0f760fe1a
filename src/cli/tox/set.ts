/** `persona tox set`: changes one field of a profile. */
import { parseHex } from '../../core/encoding/bytes.ts'
import { ownWords } from '../../core/token.ts'
import { NOSPAM_BYTES } from '../../tox/save/address.ts'
import { USER_STATUSES, withName, withNospam, withUserStatus, withWords } from '../../tox/save/edit.ts'
import { readStatusMessage, type ToxSave } from '../../tox/save/savefile.ts'
import { print, type Context } from '../io/context.ts'
import { CliError, EXIT_DONE } from '../io/errors.ts'
import { escapeText } from '../io/escape.ts'
import { commitEdit, formatEdit, openProfile, toxIdOf, type EditOptions, type EditReport } from './edit.ts'
import type { OpenProfile } from './open.ts'

/** Printed by `--json`. */
export interface SetReport extends EditReport {
  field: string
  toxId: string
  /** The whole status message as friends see it. */
  statusMessage: string
  /** The token of the persona still follows the new words. */
  tokenKept: boolean
}

interface Change {
  readonly save: ToxSave
  readonly tokenKept: boolean
  readonly done: string
}

export async function set(
  context: Context,
  file: string,
  field: string,
  value: string,
  options: EditOptions,
): Promise<number> {
  // Checks the field before it asks for a passphrase.
  const change = changeOf(field, value)
  const opened = await openProfile(file, options)
  const { save, tokenKept, done } = change(opened)
  const edit = await commitEdit(context, opened, save, options)
  const toxId = toxIdOf(opened, save)
  const report: SetReport = { ...edit, field, toxId, statusMessage: readStatusMessage(save).text, tokenKept }
  const more = field === 'nospam' ? [`Tox ID:  ${toxId}`, 'friend requests to the old Tox ID no longer arrive'] : []
  print(context, report, formatEdit(edit, [done, ...more]))
  return EXIT_DONE
}

/** @throws {CliError} USAGE */
function changeOf(field: string, value: string): (opened: OpenProfile) => Change {
  switch (field) {
    case 'name':
      return ({ profile }) => {
        return { save: withName(profile.save, value), tokenKept: false, done: `name:    ${escapeText(value)}` }
      }
    case 'status':
      return ({ profile }) => setWords(profile.save, value)
    case 'nospam': {
      const nospam = value === 'new' ? null : parseHex(value)
      if (value !== 'new' && nospam?.length !== NOSPAM_BYTES)
        throw new CliError('USAGE', 'a nospam has 8 hex digits; for a random one give "new"')
      return ({ profile, access }) => {
        const bytes = nospam ?? access.engine.randomBytes(NOSPAM_BYTES)
        return { save: withNospam(profile.save, bytes), tokenKept: false, done: 'changed the nospam' }
      }
    }
    case 'away': {
      const status = USER_STATUSES.find((known) => known === value)
      if (status === undefined) throw new CliError('USAGE', `"${value}" is not one of ${USER_STATUSES.join(', ')}`)
      return ({ profile }) => {
        return { save: withUserStatus(profile.save, status), tokenKept: false, done: `away:    ${status}` }
      }
    }
    default:
      throw new CliError('USAGE', `"${field}" is not one of name, status, nospam, away`)
  }
}

function setWords(before: ToxSave, value: string): Change {
  const { save, tokenKept } = withWords(before, value)
  const words = ownWords(readStatusMessage(save).text)
  const token = tokenKept ? ' (followed by the blob of your persona)' : ''
  return { save, tokenKept, done: `status:  ${words === '' ? 'no words' : escapeText(words)}${token}` }
}

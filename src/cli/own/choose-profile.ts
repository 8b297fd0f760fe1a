/** Offers the Tox profiles of this computer for the first device of a new persona. */
import { tell } from '../io/context.ts'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { formatHex } from '../../core/encoding/bytes.ts'
import { checkNickname } from '../../core/nickname.ts'
import { loadEngine } from '../../crypto/load.ts'
import { ToxError } from '../../tox/save/errors.ts'
import { defaultPlaces } from '../../tox/profile/places.ts'
import { readProfile } from '../../tox/profile/profile-file.ts'
import { survey } from '../../tox/profile/survey.ts'
import { readKeys, readName } from '../../tox/save/savefile.ts'
import { CliError } from '../io/errors.ts'
import { escapeText, showName } from '../io/escape.ts'
import { askLine } from '../io/prompt.ts'

const MAX_OFFERED = 9 // sanity: a person has a handful, and chooses by one digit

export interface FoundProfile {
  readonly file: string
  /** The name that friends see; empty while the profile is encrypted. */
  readonly name: string
  /** ToxPk; null while the profile is encrypted. */
  readonly key: string | null
}

/** The profiles in the places where Tox clients keep them, without those that cannot be read. */
export async function findProfiles(env: Readonly<Record<string, string | undefined>>): Promise<FoundProfile[]> {
  const { files } = await survey(defaultPlaces(env))
  if (files.length === 0) return []
  const engine = await loadEngine()
  const found: FoundProfile[] = []
  for (const { path: file } of files) {
    if (found.length === MAX_OFFERED) break
    try {
      const { save } = await readProfile(file, { engine })
      found.push({ file, name: readName(save).text, key: formatHex(readKeys(save, engine).publicKey) })
    } catch (error) {
      if (!(error instanceof ToxError)) throw error
      if (error.code === 'TOX_ENCRYPTED') found.push({ file, name: '', key: null })
    }
  }
  return found
}

export function formatOffer(found: readonly FoundProfile[]): string[] {
  return [
    'These Tox profiles are on this computer:',
    ...found.map(({ file, name, key }, i) => {
      const whose = key === null ? 'encrypted' : showName(name === '' ? 'no name' : name, key)
      return `  ${i + 1}  ${escapeText(file)} (${whose})`
    }),
  ]
}

/**
 * The profile that an answer chooses: a number of the list, or a file.
 * @returns null for an empty answer
 * @throws {CliError} USAGE: the list has no such number
 */
export function chosenFile(answer: string, found: readonly FoundProfile[]): string | null {
  const text = answer.trim()
  if (text === '') return null
  if (!/^\d+$/.test(text)) return text.startsWith('~/') ? join(homedir(), text.slice(2)) : text
  const file = found[Number(text) - 1]?.file
  if (file !== undefined) return file
  throw new CliError('USAGE', `there is no profile ${text} in the list; nothing was created`)
}

/** Asks which profile is this device, and for its nickname. @param device the nickname, if it was given @returns null for no device */
export async function askFirstDevice(
  found: readonly FoundProfile[],
  device: string | undefined,
): Promise<{ readonly device: string; readonly toxProfile: string } | null> {
  tell(`${formatOffer(found).join('\n')}\n`)
  const none = device === undefined ? ', or Enter for no device yet' : ''
  const toxProfile = chosenFile(await askLine(`Which one is this device? Type its number or a file${none}: `), found)
  if (toxProfile === null) return null
  const name = device ?? (await askLine('Nickname of this device, which every friend can read: '))
  return { device: checkNickname(name), toxProfile }
}

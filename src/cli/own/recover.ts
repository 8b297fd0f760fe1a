/** `persona recover`: brings the persona back from its recovery words and the newest copy of its table, under a new key (docs/backup.md, section 5). */
import { equalBytes, parseBase64url } from '../../core/encoding/bytes.ts'
import { TOKEN_PREFIX } from '../../core/limits.ts'
import { checkNickname } from '../../core/nickname.ts'
import { loadEngine } from '../../crypto/load.ts'
import { deriveSigningSeed, parseWords } from '../../crypto/seed.ts'
import type { Client } from '../../ipc/client.ts'
import type { OwnTable } from '../../ipc/shapes/own.ts'
import type { TableDevice } from '../../ipc/shapes/contact.ts'
import { MAX_COPIES, type RecoverResult } from '../../ipc/shapes/backup.ts'
import { withDaemon } from '../io/connect.ts'
import { print, remark, type Context } from '../io/context.ts'
import { checkNoPersona } from './checks.ts'
import { readCopies } from './copies.ts'
import { keyOf, type KeyOptions } from './device.ts'
import { rememberProfile } from './own-profile.ts'
import { CliError, EXIT_DONE } from '../io/errors.ts'
import { escapeText } from '../io/escape.ts'
import { askNewPassphrase } from '../io/passphrase.ts'
import { countOf, formatTime, tableNumbers } from '../io/layout.ts'
import { profileOpener } from '../tox/open.ts'
import { isInteractive } from '../io/prompt.ts'
import { obtainWords } from './recovery-words.ts'
import { epochOf, signPlanned } from './rotate.ts'

const PERSONA_ID_AT = 2 // format: docs/format.md, section 3
const PERSONA_ID_END = 34

export interface RecoverOptions extends KeyOptions {
  readonly from?: readonly string[]
  readonly keep?: readonly string[]
  readonly epoch?: string
  readonly device?: string
  readonly unnamed?: true
  readonly passphrase?: true
  readonly passphraseFile?: string
  readonly wordsFile?: string
  readonly yes?: true
}

const NEXT = [
  'now show the new table to your friends: persona publish',
  'recovery words do not bring back contacts; read them from each of your profiles: persona tox scan FILE',
]

export async function recover(context: Context, options: RecoverOptions): Promise<number> {
  const device = await deviceOf(options)
  if (options.yes === undefined && (context.json || !isInteractive())) {
    throw new CliError('USAGE', 'recover needs a terminal to show you the table before it signs', {
      hint: 'to sign without looking, give --yes',
    })
  }
  await withDaemon(context, (client) => checkNoPersona(client))
  const isSealed = options.passphrase === true || options.passphraseFile !== undefined
  const source = { file: options.passphraseFile, option: '--passphrase-file' }
  const passphrase = isSealed ? await askNewPassphrase(source) : null
  const open = profileOpener({ file: options.profilePassphraseFile, option: '--profile-passphrase-file' })
  const found = await readCopies(options.from ?? [], open)
  const words = await obtainWords(options.wordsFile)
  const copies = await ownCopies(found, words)
  await withDaemon(context, async (client) => {
    const result = await client.call('persona.recover', {
      words,
      copies,
      ...(options.epoch === undefined ? {} : { epoch: epochOf(options.epoch) }),
      ...(device === null ? {} : { device }),
      ...(passphrase === null ? {} : { passphrase }),
      ...(options.unnamed === true ? { unnamed: true } : {}),
      ...(options.keep === undefined ? {} : { keep: [...options.keep] }),
    })
    remark(context, describeSource(result, context.nowSec, context.verbose))
    const table = result.mustRotate ? await rotated(context, client, options, words, device) : result.table
    if (device !== null) await rememberProfile(context, client, options.toxProfile, device.key)
    print(context, { ...result, table, mustRotate: false }, [
      `recovered persona ${table.personaId} with ${countOf(table.devices.length, 'device')}${tableNumbers(context.verbose, table)}`,
      ...NEXT,
    ])
  })
  return EXIT_DONE
}

/** If this is interrupted, the persona exists but signs nothing. `persona rotate` then goes on. */
async function rotated(
  context: Context,
  client: Client,
  options: RecoverOptions,
  words: string,
  device: TableDevice | null,
): Promise<OwnTable> {
  remark(context, 'next, the key must be rotated; if this is interrupted, continue with: persona rotate')
  const result = await signPlanned(context, client, options, null, words)
  if (result === null) throw new Error('the table was only shown, not signed')
  if (device === null || result.table.devices.some(({ key }) => key === device.key)) return result.table
  return (await client.call('device.add', { ...device, again: true })).table
}

async function deviceOf(options: RecoverOptions): Promise<TableDevice | null> {
  const key = await keyOf(options)
  if (key === null && options.device === undefined) return null
  if (key !== null && options.device !== undefined) return { name: checkNickname(options.device), key }
  throw new CliError('USAGE', 'a device needs a nickname and a key', {
    hint: 'give --device NAME and --tox-profile FILE, or neither',
  })
}

/** Keeps the copies that belong to the persona of these words. A profile also holds those of all friends. */
async function ownCopies(copies: readonly string[], words: string): Promise<string[]> {
  const engine = await loadEngine()
  const seed = parseWords(words, engine)
  const signingSeed = deriveSigningSeed(seed, 0, engine)
  const { publicKey, secretKey } = engine.signKeyPair(signingSeed)
  for (const secret of [seed, signingSeed, secretKey]) engine.wipe(secret)
  const own = copies.filter((token) => {
    const blob = parseBase64url(token.slice(TOKEN_PREFIX.length))
    return blob !== null && equalBytes(blob.subarray(PERSONA_ID_AT, PERSONA_ID_END), publicKey)
  })
  return own.slice(0, MAX_COPIES)
}

function describeSource({ from }: RecoverResult, nowSec: number, verbose: boolean): string {
  if (from === null) return 'found no copy of your table, so it starts empty'
  return `the newest copy of your table was signed ${escapeText(formatTime(from.timeSec, nowSec))}${tableNumbers(verbose, from)}`
}

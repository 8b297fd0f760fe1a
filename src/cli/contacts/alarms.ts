/** `persona alarms` and `persona verify --evidence`: what went wrong with somebody's tables, what it means, and the proof of it. */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { encodeUtf8, formatHex } from '../../core/encoding/bytes.ts'
import { BlobError } from '../../core/errors.ts'
import { proofsOf, type Proof } from '../../core/proof.ts'
import { judgeStatus, type VerifiedBlob } from '../../core/verify.ts'
import { writeFileDurably } from '../../durable/file.ts'
import { evidenceFile, type Alarm, type EvidenceFile } from '../../ipc/shapes/alarms.ts'
import type { Contact } from '../../ipc/shapes/contact.ts'
import { withDaemon } from '../io/connect.ts'
import { print, type Context } from '../io/context.ts'
import { CliError, EXIT_DONE, EXIT_FAILED } from '../io/errors.ts'
import { escapeText, keyTail, showName } from '../io/escape.ts'
import { parseQuery } from '../io/keys.ts'
import { countOf, formatTime } from '../io/layout.ts'

const MAX_EVIDENCE_BYTES = 262_144 // sanity: some ten times what a contact can have

export interface AlarmOptions {
  readonly dismiss?: string
  readonly export?: string
  readonly force?: true
}

/** Lists, or dismisses one, or writes the evidence of a contact into a file. */
export async function alarms(context: Context, contact: string | undefined, options: AlarmOptions): Promise<number> {
  if (options.dismiss !== undefined && (options.export !== undefined || contact !== undefined))
    throw new CliError('USAGE', 'an alarm is dismissed by its id, and by nothing else beside it')
  if (options.export !== undefined)
    return await exportEvidence(context, contact, options.export, options.force === true)
  if (options.dismiss !== undefined) {
    const id = options.dismiss
    const gone = await withDaemon(context, (client) => client.call('alarm.dismiss', { id }))
    print(context, gone, [`dismissed: ${escapeText(gone.message)}`])
    return EXIT_DONE
  }
  const shown = await withDaemon(context, async (client) => {
    const whose = contact === undefined ? null : await client.call('contact.show', { contact: parseQuery(contact) })
    const { alarms: all } = await client.call('alarm.list')
    return whose === null ? all : all.filter((alarm) => isAbout(alarm, whose))
  })
  const lines = shown.flatMap((alarm) => [...formatAlarm(alarm, context.nowSec), ''])
  print(context, { alarms: shown }, shown.length === 0 ? ['no alarms'] : lines.slice(0, -1))
  return EXIT_DONE
}

function isAbout({ personaId, keys }: Alarm, whose: Contact): boolean {
  if (whose.personaId !== null) return personaId === whose.personaId
  return whose.devices.some(({ key }) => keys.includes(key))
}

/** What each alarm means to a person, and what can be done; the message says of whom and what happened. */
const MEANINGS: Readonly<Record<string, string>> = {
  CHAIN_DISPUTED:
    'Somebody else has the very first key of this persona. Nothing was changed here. Ask the person for a new contact link where you are sure whom you speak to.',
  PERSONA_SWITCHED:
    'The device says now that it belongs to another person. It was sold, taken over, or set up anew. Ask before you write to it.',
  DEVICE_CONTESTED:
    'Somebody lists a device that is not known as theirs. It counts as theirs, and this alarm ends, only once it says so itself: perhaps it is new, perhaps a mistake, perhaps a try to get your messages.',
  FORK: 'Two different tables were signed in the place of one and nobody settled it: two devices that never see each other, or a thief beside the owner.',
  ROTATE_AGAIN:
    'Your key was rotated twice without knowledge of each other. Rotate once more, so that one of the two keys is worth nothing.',
  STORE_ROLLED_BACK:
    'What this machine remembers is older than what it has signed: its disk was put back to an earlier day, or somebody else signs with your key.',
  CURSOR_AHEAD:
    'A program remembers more of this daemon than the daemon itself. By itself it proves nothing: programs can be wrong.',
  OWN_DEVICE_UNLISTED: 'Another device of yours, or a thief with its key, took this one out of your table.',
}

export function formatAlarm(alarm: Alarm, nowSec: number): string[] {
  const { id, code, personaId, contact, keys, message, sinceSec, lastSec, count } = alarm
  const times = count === 1 ? formatTime(sinceSec, nowSec) : `${count} times, last ${formatTime(lastSec, nowSec)}`
  const meaning = MEANINGS[code]
  const who = contact === null ? [] : [`  contact:  ${showName(contact, personaId)}`]
  // By digits: a name is anybody's to choose, and this line is pasted into a shell.
  const of = contact === null || personaId === null ? '' : ` ${personaId.slice(0, 16)}`
  const devices = keys.length === 0 ? [] : [`  devices:  ${keys.map(keyTail).join(', ')}`]
  const evidence = personaId === null ? '' : `evidence: persona alarms --export FILE${of}; `
  return [
    `${id}  ${escapeText(code)}, ${times}`,
    `  ${escapeText(message)}`,
    ...(meaning === undefined ? [] : [`  ${meaning}`]),
    ...who,
    ...devices,
    `  ${evidence}dealt with: persona alarms --dismiss ${id}`,
  ]
}

async function exportEvidence(
  context: Context,
  contact: string | undefined,
  path: string,
  force: boolean,
): Promise<number> {
  const file = await withDaemon(context, async (client) => {
    const whose = contact ?? (await client.call('device.list')).personaId
    return await client.call('evidence.get', { contact: parseQuery(whose) })
  })
  if (!force && existsSync(path)) {
    throw new CliError('FILE_EXISTS', `${path} is there already`, {
      hint: 'give another name, or --force to replace it',
    })
  }
  await writeFileDurably(path, encodeUtf8(`${JSON.stringify(file, null, 2)}\n`), { mode: 0o600 })
  print(context, { path, blobs: file.blobs.length }, [
    `${countOf(file.blobs.length, 'table')} of ${keyTail(file.personaId)} in ${escapeText(path)}`,
    'anybody can check it, without a daemon: persona verify --evidence FILE',
  ])
  return EXIT_DONE
}

/** What came of checking a file of evidence. */
export interface EvidenceVerdict {
  personaId: string
  tables: number
  /** Tokens that are no valid table of this persona, with the reason. */
  invalid: { index: number; code: string }[]
  proofs: Proof[]
}

/**
 * Exits 0 only when everything in the file is valid and together proves something.
 * @param beside what was given to be judged at once, and would be left out in silence
 */
export async function verifyEvidence(context: Context, path: string, beside: string | undefined): Promise<number> {
  if (beside !== undefined) throw new CliError('USAGE', '--evidence names all that is checked: nothing goes with it')
  const verdict = await judgeEvidence(await readEvidence(path))
  print(context, verdict, formatVerdict(verdict))
  return verdict.invalid.length === 0 && verdict.proofs.length > 0 ? EXIT_DONE : EXIT_FAILED
}

async function readEvidence(path: string): Promise<EvidenceFile> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    throw new CliError('FILE_UNREADABLE', `cannot read ${path}`, {
      cause,
      hint: 'give a file that persona alarms --export wrote',
    })
  }
  if (text.length > MAX_EVIDENCE_BYTES) throw notEvidence(path)
  try {
    const parsed = evidenceFile.safeParse(JSON.parse(text))
    if (parsed.success) return parsed.data
  } catch {
    // Said below: no JSON is no evidence either.
  }
  throw notEvidence(path)
}

function notEvidence(path: string): CliError {
  return new CliError('NOT_EVIDENCE', `${path} is no file of evidence`, {
    hint: 'give a file that persona alarms --export wrote',
  })
}

/** Trusts nothing of the file but what its signatures say. */
export async function judgeEvidence(file: EvidenceFile): Promise<EvidenceVerdict> {
  const { loadEngine } = await import('../../crypto/load.ts')
  const engine = await loadEngine()
  const blobs: VerifiedBlob[] = []
  const invalid: EvidenceVerdict['invalid'] = []
  for (const [index, { token }] of file.blobs.entries()) {
    try {
      const { blob } = judgeStatus(token, engine, new Set())
      if (blob !== null && formatHex(blob.personaId) === file.personaId) blobs.push(blob)
      else invalid.push({ index, code: blob === null ? 'NO_TOKEN' : 'OTHER_PERSONA' })
    } catch (error) {
      if (!(error instanceof BlobError)) throw error
      invalid.push({ index, code: error.code })
    }
  }
  return { personaId: file.personaId, tables: blobs.length, invalid, proofs: proofsOf(blobs) }
}

export function formatVerdict({ personaId, tables, invalid, proofs }: EvidenceVerdict): string[] {
  const refused = invalid.map(({ index, code }) => `table ${index + 1} of the file is not valid: ${code}`)
  const found = `${countOf(tables, 'table')} with a good signature of persona ${personaId}`
  const nothing = tables === 0 ? 'the file proves nothing' : 'it proves nothing but that this was signed'
  return [found, ...refused, ...(proofs.length === 0 ? [nothing] : proofs.map(formatProof))]
}

function formatProof({ kind, epoch, seq, pair }: Proof): string {
  if (kind === 'fork')
    return `proven: one key signed two tables in the place of one, number ${seq} of epoch ${epoch}: ${keyTail(pair[0])} and ${keyTail(pair[1])}`
  return `proven: two chains of keys begin with the first key of this persona, so somebody else has it: ${keyTail(pair[0])} and ${keyTail(pair[1])}`
}

/** `persona alarms` and `persona verify --evidence`: attacks and mistakes in tables, their meaning and the proof. */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { CardError } from '../../card/errors.ts'
import { verifyCard } from '../../card/verify.ts'
import { provesTheft } from '../../core/announce/theft.ts'
import { encodeUtf8, formatHex, parseBase64url, parseHex } from '../../core/encoding/bytes.ts'
import { BlobError } from '../../core/errors.ts'
import { proofsOf, type BoundToChain, type Proof } from '../../core/proof.ts'
import { judgeStatus, type VerifiedBlob } from '../../core/verify.ts'
import type { CryptoEngine } from '../../crypto/engine.ts'
import { writeFileDurably } from '../../durable/file.ts'
import { evidenceFile, type Alarm, type EvidenceFile, type EvidenceItem } from '../../ipc/shapes/alarms.ts'
import { withDaemon } from '../io/connect.ts'
import { print, type Context } from '../io/context.ts'
import { CliError, EXIT_DONE, EXIT_FAILED } from '../io/errors.ts'
import { escapeText, keyTail, showName } from '../io/escape.ts'
import { parseQuery } from '../io/keys.ts'
import { countOf, formatTime, tableNumbers } from '../io/layout.ts'
import { isAbout } from '../io/needs.ts'

const MAX_EVIDENCE_BYTES = 262_144 // sanity: about ten times the evidence kept for one contact

export interface AlarmOptions {
  readonly dismiss?: string
  readonly export?: string
  readonly force?: true
}

/** Lists alarms, dismisses one, or writes the evidence about a contact to a file. */
export async function alarms(context: Context, contact: string | undefined, options: AlarmOptions): Promise<number> {
  if (options.dismiss !== undefined && (options.export !== undefined || contact !== undefined))
    throw new CliError('USAGE', '--dismiss takes only the id of an alarm')
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
  const lines = shown.flatMap((alarm) => [...formatAlarm(alarm, context.nowSec, context.verbose), ''])
  print(context, { alarms: shown }, shown.length === 0 ? ['no alarms'] : lines.slice(0, -1))
  return EXIT_DONE
}

/** The meaning of each alarm and what to do about it. The alarm's own message names the persona and the event. */
const MEANINGS: Readonly<Record<string, string>> = {
  CHAIN_DISPUTED:
    'Somebody else has the very first key of this persona. Nothing was changed here. Ask the person for a new contact link, in a way that lets you be sure it is them.',
  PERSONA_SWITCHED:
    'The device now shows the persona of another person. It was sold, stolen or set up anew. Ask before you write to it.',
  DEVICE_CONTESTED:
    'Somebody lists a device that belongs to another contact, or to nobody yet. It may be new, a mistake, or an attempt to get your messages. It becomes theirs, and this alarm ends, only when the device itself confirms it.',
  FORK: 'The owner signed two different tables with the same number, and no later table resolves it. Either two of their devices never see each other, or a thief also has the key.',
  ROTATE_AGAIN:
    'Two of your devices rotated your key without seeing each other, or a device that you left out is back. Somebody may have the new key. Rotate once more, unless you added the device again yourself.',
  STORE_ROLLED_BACK:
    'This daemon remembers an older table than it has signed. Either its disk was reset to an earlier day, or somebody else signs with your key.',
  CURSOR_AHEAD:
    'A program remembers more events than this daemon has. The disk may have been reset to an earlier day. Alone it proves nothing: programs can be wrong.',
  ANNOUNCEMENT_JAMMED:
    'Somebody signed an announcement that none of the owner’s devices signs. So they have a key of this persona. They may keep friends from the announcements of that key, and no node can remove theirs. Status messages still bring the newest table.',
  LINK_TAKEN:
    'Somebody else had the invite by which you link apps on two devices. Nothing was sent to them, and no link was made, unless the one that you see is of another device of yours. Make a new invite, and send it by a way that nobody else reads.',
  OWN_DEVICE_UNLISTED: 'Another of your devices, or a thief with its key, removed this device from your table.',
}

export function formatAlarm(alarm: Alarm, nowSec: number, verbose = false): string[] {
  const { id, code, personaId, contact, keys, message, sinceSec, lastSec, count, epoch = null, seq = null } = alarm
  const times = count === 1 ? formatTime(sinceSec, nowSec) : `${count} times, last ${formatTime(lastSec, nowSec)}`
  const meaning = MEANINGS[code]
  const who = contact === null ? [] : [`  contact:  ${showName(contact, personaId)}`]
  // By digits: anybody can choose any name, and people paste this line into a shell.
  const of = contact === null || personaId === null ? '' : ` ${personaId.slice(0, 16)}`
  const devices = keys.length === 0 ? [] : [`  devices:  ${keys.map(keyTail).join(', ')}`]
  const evidence = personaId === null ? [] : [`  save the evidence: persona alarms --export FILE${of}`]
  return [
    `${id}  ${escapeText(code)}, ${times}`,
    `  ${escapeText(message)}${tableNumbers(verbose, { epoch, seq })}`,
    ...(meaning === undefined ? [] : [`  ${meaning}`]),
    ...who,
    ...devices,
    ...evidence,
    `  when it is resolved: persona alarms --dismiss ${id}`,
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
    throw new CliError('FILE_EXISTS', `${path} already exists`, {
      hint: 'choose another name, or replace it with --force',
    })
  }
  await writeFileDurably(path, encodeUtf8(`${JSON.stringify(file, null, 2)}\n`), { mode: 0o600 })
  const [items, cards] = [file.items?.length ?? 0, file.cards?.length ?? 0]
  const also = [countOf(items, 'announcement'), countOf(cards, 'card')].filter((_, i) => [items, cards][i]! > 0)
  print(context, { path, blobs: file.blobs.length, items, cards }, [
    `wrote ${[countOf(file.blobs.length, 'table'), ...also].join(' and ')} of persona ${keyTail(file.personaId)} to ${escapeText(path)}`,
    'anybody can check it, without a daemon: persona verify --evidence FILE',
  ])
  return EXIT_DONE
}

/** The result of checking an evidence file. */
export interface EvidenceVerdict {
  personaId: string
  tables: number
  cards: number
  /** Tokens that are not a valid table of this persona, with the reason. */
  invalid: { index: number; code: string }[]
  /** The same of cards. */
  invalidCards: { index: number; code: string }[]
  proofs: (Proof | ItemProof)[]
}

/** Somebody else has a key: the owner's devices do not sign this announcement. */
export interface ItemProof {
  kind: 'announcement'
  personaId: string
  epoch: number
  /** The seq of the announcement, decimal digits. */
  seq: string
}

/**
 * Exits 0 only if everything in the file is valid and it proves something.
 * @param other a text or --from given as well, which would be ignored silently
 */
export async function verifyEvidence(context: Context, path: string, other: string | undefined): Promise<number> {
  if (other !== undefined) throw new CliError('USAGE', '--evidence takes no text and no --from')
  const verdict = await judgeEvidence(await readEvidence(path))
  print(context, verdict, formatVerdict(verdict, context.verbose))
  const isWhole = verdict.invalid.length + verdict.invalidCards.length === 0
  return isWhole && verdict.proofs.length > 0 ? EXIT_DONE : EXIT_FAILED
}

async function readEvidence(path: string): Promise<EvidenceFile> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    throw new CliError('FILE_UNREADABLE', `cannot read ${path}`, {
      cause,
      hint: 'give a file written by: persona alarms --export',
    })
  }
  if (text.length > MAX_EVIDENCE_BYTES) throw notEvidence(path)
  try {
    const parsed = evidenceFile.safeParse(JSON.parse(text))
    if (parsed.success) return parsed.data
  } catch {
    // Not JSON: refused below.
  }
  throw notEvidence(path)
}

function notEvidence(path: string): CliError {
  return new CliError('NOT_EVIDENCE', `${path} is not an evidence file`, {
    hint: 'give a file written by: persona alarms --export',
  })
}

/** Trusts only the signatures in the file. */
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
  const { cards, invalidCards } = readCards(file, engine)
  const ofItems = (file.items ?? []).flatMap((item) => proofOfItem(item, file.personaId, blobs, engine))
  const proofs = [...proofsOf(blobs, cards), ...ofItems]
  return { personaId: file.personaId, tables: blobs.length, cards: cards.length, invalid, invalidCards, proofs }
}

function readCards(
  file: EvidenceFile,
  engine: CryptoEngine,
): { readonly cards: BoundToChain[] } & Pick<EvidenceVerdict, 'invalidCards'> {
  const cards: BoundToChain[] = []
  const invalidCards: EvidenceVerdict['invalidCards'] = []
  for (const [index, { card }] of (file.cards ?? []).entries()) {
    try {
      const { chain, root } = verifyCard(card, engine)
      if (formatHex(chain.personaId) === file.personaId) cards.push({ personaId: chain.personaId, root })
      else invalidCards.push({ index, code: 'OTHER_PERSONA' })
    } catch (error) {
      if (!(error instanceof CardError)) throw error
      invalidCards.push({ index, code: error.code })
    }
  }
  return { cards, invalidCards }
}

function proofOfItem(
  { epoch, readingKey, publicKey, salt, seq, bencoded, signature }: EvidenceItem,
  personaId: string,
  blobs: readonly VerifiedBlob[],
  engine: CryptoEngine,
): ItemProof[] {
  const value = parseBase64url(bencoded)
  if (value === null) return []
  const signed = {
    publicKey: parseHex(publicKey)!,
    salt: parseHex(salt)!,
    seq: BigInt(seq),
    bencoded: value,
    signature: parseHex(signature)!,
  }
  const isProof = provesTheft({ signed, epoch, readingKey: parseHex(readingKey)! }, blobs, engine)
  return isProof ? [{ kind: 'announcement', personaId, epoch, seq }] : []
}

export function formatVerdict(verdict: EvidenceVerdict, verbose = false): string[] {
  const { personaId, tables, cards, invalid, invalidCards, proofs } = verdict
  const refused = [
    ...invalid.map((one) => ['table', one] as const),
    ...invalidCards.map((one) => ['card', one] as const),
  ].map(([what, { index, code }]) => `${what} ${index + 1} in the file is not valid: ${code}`)
  const also = cards === 0 ? '' : ` and ${countOf(cards, 'card')}`
  const found = `${countOf(tables, 'table')}${also} with a good signature of persona ${personaId}`
  const nothing = tables + cards === 0 ? 'the file proves nothing' : 'it proves only that the owner signed this'
  return [found, ...refused, ...(proofs.length === 0 ? [nothing] : proofs.map((proof) => formatProof(proof, verbose)))]
}

function formatProof(proof: Proof | ItemProof, verbose: boolean): string {
  if (proof.kind === 'announcement')
    return `proven: an announcement is signed by a key of this persona, and not by its owner, so somebody else has the key${verbose ? ` of epoch ${proof.epoch}` : ''}`
  const { kind, epoch, seq, pair } = proof
  const both = `${keyTail(pair[0])} and ${keyTail(pair[1])}`
  if (kind === 'fork')
    return `proven: one key signed two different tables with the same number${tableNumbers(verbose, { epoch, seq })}: ${both}`
  return `proven: two chains of keys begin with the first key of this persona, so somebody else has it: ${both}`
}

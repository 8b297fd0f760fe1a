/** `persona contact export|import`: contact links with the owner's names for them, as a file of JSON lines (docs/ipc.md, section 3). */
import { open } from 'node:fs/promises'
import { decodeUtf8, encodeUtf8 } from '../../core/encoding/bytes.ts'
import type { Client } from '../../ipc/client.ts'
import { MAX_BATCH } from '../../ipc/shapes/limits.ts'
import {
  contactCard,
  type CardPage,
  type ContactCard,
  type ImportContactsParams,
  type ImportedContact,
} from '../../ipc/shapes/cards.ts'
import { withDaemon } from '../io/connect.ts'
import { print, remark, type Context } from '../io/context.ts'
import { CliError, EXIT_DONE, EXIT_FAILED } from '../io/errors.ts'
import { escapeText } from '../io/escape.ts'
import { readStdin } from '../io/input.ts'
import { countOf } from '../io/layout.ts'

const HEADER = '{"type":"persona contacts","version":1}'
const MAX_FILE_BYTES = 64 << 20 // sanity: 100 000 contacts have 30 MB
const FILE_MODE = 0o600 // a contact list is private

/** Writes the list to a new file or to stdout. */
export async function exportContacts(context: Context, file: string | undefined): Promise<number> {
  const cards = await withDaemon(context, allCards)
  const text = [HEADER, ...cards.map((card) => JSON.stringify(card))].map((line) => `${line}\n`).join('')
  if (file === undefined || file === '-') {
    process.stdout.write(text)
    return EXIT_DONE
  }
  await writeNew(file, encodeUtf8(text))
  print(context, { file, contacts: cards.length }, [
    `wrote ${countOf(cards.length, 'contact')} to ${escapeText(file)}; friends without a persona are left out`,
  ])
  return EXIT_DONE
}

async function allCards(client: Client): Promise<ContactCard[]> {
  const cards: ContactCard[] = []
  for (let after: string | null = null; ;) {
    const page: CardPage = await client.call('contact.export', after === null ? {} : { after })
    cards.push(...page.contacts)
    if (page.next === null) return cards
    after = page.next
  }
}

async function writeNew(file: string, bytes: Uint8Array): Promise<void> {
  try {
    const handle = await open(file, 'wx', FILE_MODE)
    try {
      await handle.writeFile(bytes)
      await handle.sync()
    } finally {
      await handle.close()
    }
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error'
    if (code === 'EEXIST') throw new CliError('FILE_EXISTS', `${file} already exists: choose another name`, { cause })
    throw new CliError('CONTACTS_FILE', `cannot write ${file} (${code})`, { cause })
  }
}

export interface ImportContactsOptions {
  /** Also add contacts that were forgotten here. */
  readonly again?: true
  /** The list is the user's own. */
  readonly trustVerified?: true
}

/** Adds every contact it can, and exits 1 if any was refused. */
export async function importContacts(context: Context, file: string, options: ImportContactsOptions): Promise<number> {
  const cards = parseCards(file === '-' ? await readStdin(MAX_FILE_BYTES) : await readText(file))
  const more: Pick<ImportContactsParams, 'again' | 'trustVerified'> = {
    ...(options.again === undefined ? {} : { again: true }),
    ...(options.trustVerified === undefined ? {} : { trustVerified: true }),
  }
  const results: ImportedContact[] = []
  await withDaemon(context, async (client) => {
    for (let at = 0; at < cards.length; at += MAX_BATCH) {
      const contacts = cards.slice(at, at + MAX_BATCH)
      results.push(...(await client.call('contact.import', { contacts, ...more })).results)
    }
  })
  print(context, { results }, formatImported(results))
  const isDoubtful = options.trustVerified !== true && cards.some(({ verified }) => verified)
  if (isDoubtful)
    remark(
      context,
      'verified contacts of the list are not verified here; if the list is your own, add --trust-verified',
    )
  if (results.some(({ code }) => code === 'CONTACT_FORGOTTEN'))
    remark(context, 'to add contacts that you forgot, use --again')
  return results.some(({ outcome }) => outcome === 'refused') ? EXIT_FAILED : EXIT_DONE
}

async function readText(file: string): Promise<string> {
  let bytes: Uint8Array
  try {
    const handle = await open(file, 'r')
    try {
      const { size } = await handle.stat()
      if (size > MAX_FILE_BYTES) throw new CliError('CONTACTS_FILE', `${file} is not a contact list: it is too large`)
      bytes = await handle.readFile()
    } finally {
      await handle.close()
    }
  } catch (cause) {
    if (cause instanceof CliError) throw cause
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error'
    throw new CliError('CONTACTS_FILE', `cannot read ${file} (${code})`, { cause })
  }
  const text = decodeUtf8(bytes)
  if (text === null) throw new CliError('CONTACTS_FILE', `${file} is not a contact list: it is not UTF-8`)
  return text
}

/** Accepts a file only as a whole. @throws {CliError} CONTACTS_FILE with the line number */
export function parseCards(text: string): ContactCard[] {
  const [header, ...lines] = text.split('\n')
  if (header?.trim() !== HEADER) {
    throw new CliError('CONTACTS_FILE', 'this is not a contact list of version 1', {
      hint: 'make one with: persona contact export FILE',
    })
  }
  return lines.flatMap((line, i) => (line.trim() === '' ? [] : [parseCard(line, i + 2)]))
}

function parseCard(line: string, number: number): ContactCard {
  const wrong = new CliError('CONTACTS_FILE', `line ${number} of the list is not a contact; nothing was imported`)
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    throw wrong
  }
  const { success, data } = contactCard.safeParse(value)
  if (!success) throw wrong
  return data
}

function formatImported(results: readonly ImportedContact[]): string[] {
  const count = (outcome: ImportedContact['outcome']): number =>
    results.filter((result) => result.outcome === outcome).length
  return [
    `${countOf(count('added'), 'contact')} added, ${count('known')} already known, ${count('refused')} refused`,
    ...results.flatMap(({ name, outcome, code, message }) =>
      outcome === 'refused' ? [`  ${escapeText(name)}: ${escapeText(message ?? '')} (${code})`] : [],
    ),
  ]
}

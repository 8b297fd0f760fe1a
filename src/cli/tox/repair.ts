/** `persona tox repair`: writes the own table back into profiles that lost it. It works for the daemon outside of its sandbox, and holds no keys. */
import { interrupted } from '../io/interrupts.ts'
import type { Client } from '../../ipc/client.ts'
import type { DueProfile, DueProfiles } from '../../ipc/shapes/due.ts'
import { ToxError } from '../../tox/save/errors.ts'
import { BLIND, repairProfile, type RepairOutcome } from '../../tox/profile/repair.ts'
import { Retries } from '../../tox/profile/retries.ts'
import { canSeeClients } from '../../tox/profile/sight.ts'
import { readStatusMessage } from '../../tox/save/savefile.ts'
import { withDaemon } from '../io/connect.ts'
import { print, remark, type Context } from '../io/context.ts'
import { CliError, describeFailure, EXIT_DONE, EXIT_FAILED } from '../io/errors.ts'
import { escapeText } from '../io/escape.ts'
import { tableNumbers } from '../io/layout.ts'
import { profileOpener } from './open.ts'

export interface RepairCommandOptions {
  /** Write what can be written now, and exit. */
  readonly once?: true
  readonly passphraseFile?: string
}

/** Printed by `--json`: a line for each profile; with `--once` one list. */
export interface RepairLine {
  file: string
  device: string
  epoch: number
  seq: number
  written: boolean
  backup: string | null
  /** Why it was not written; null if it was. */
  why: string | null
}

interface Attempt {
  readonly line: RepairLine
  /** Null if it was written */
  readonly refused: Extract<RepairOutcome, { done: false }> | null
  /** Symbolic links resolved */
  readonly resolved: string
}

/** @throws {CliError} SANDBOXED if this process cannot see running Tox clients */
export async function repair(context: Context, options: RepairCommandOptions): Promise<number> {
  if (!(await canSeeClients())) throw new CliError('SANDBOXED', BLIND.slice(0, BLIND.indexOf(':')), { hint: OUTSIDE })
  return await withDaemon(context, async (client) =>
    options.once === true ? await repairOnce(context, client, options) : await repairOn(context, client, options),
  )
}

const OUTSIDE = 'run it outside of the sandbox; to run it as a service: persona service install --repair'

async function repairOnce(context: Context, client: Client, options: RepairCommandOptions): Promise<number> {
  const due = await client.call('profile.due')
  const lines: RepairLine[] = []
  for (const profile of due.profiles) lines.push((await attempt(client, profile, due, options)).line)
  const texts = lines.map((line) => format(line, context.verbose))
  print(context, lines, lines.length === 0 ? ['all your watched profiles show your current table'] : texts)
  return lines.every(({ written }) => written) ? EXIT_DONE : EXIT_FAILED
}

/** Until Ctrl-C, or until the daemon goes away. */
async function repairOn(context: Context, client: Client, options: RepairCommandOptions): Promise<number> {
  const stopped = interrupted()
  const repairs = new RepairLoop(context, client, options)
  await client.subscribe(['profile.due'], () => repairs.wake())
  repairs.wake()
  remark(context, 'watching for profiles that lost your table; press Ctrl-C to stop')
  const reason = await Promise.race([stopped, client.closed])
  await repairs.close()
  if (reason !== null) throw reason
  return EXIT_DONE
}

/** Asks the daemon for due profiles whenever it sends an event or a client exits, one round at a time. */
class RepairLoop {
  readonly #context: Context
  readonly #client: Client
  readonly #options: RepairCommandOptions
  readonly #retries: Retries = new Retries({ again: () => this.wake() })
  readonly #printed = new Map<string, string>()
  #round: Promise<void> | null = null
  #again = false
  #isClosed = false

  constructor(context: Context, client: Client, options: RepairCommandOptions) {
    this.#context = context
    this.#client = client
    this.#options = options
  }

  wake(): void {
    this.#again = true
    this.#round ??= this.#rounds()
  }

  /** Ends after the present write. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#round
    this.#retries.close()
  }

  async #rounds(): Promise<void> {
    while (this.#again && !this.#isClosed) {
      this.#again = false
      try {
        const due = await this.#client.call('profile.due')
        for (const profile of due.profiles) if (!this.#isClosed) await this.#attempt(profile, due)
      } catch (error) {
        // A daemon that went away ends the command by itself.
        if (!this.#isClosed) remark(this.#context, escapeText(describeFailure(error).message))
      }
    }
    this.#round = null
  }

  async #attempt(profile: DueProfile, due: DueProfiles): Promise<void> {
    if (this.#retries.isTooSoon(profile.path)) return await this.#retries.later(profile.path)
    const { line, refused, resolved } = await attempt(this.#client, profile, due, this.#options)
    if (refused === null) this.#retries.wrote(profile.path)
    const text = format(line, this.#context.verbose)
    // The same profile comes again with each reading. Print each reason only once.
    if (refused === null || this.#printed.get(profile.path) !== text) print(this.#context, line, [text])
    this.#printed.set(profile.path, refused === null ? '' : text)
    if (refused?.again === true) await this.#retries.later(profile.path, refused.clients, resolved)
  }
}

async function attempt(
  client: Client,
  due: DueProfile,
  { passphraseFile }: DueProfiles,
  options: RepairCommandOptions,
): Promise<Attempt> {
  const { path: file, device, epoch, seq, key, text } = due
  const line = { file, device, epoch, seq, written: false, backup: null, why: null }
  const refuse = (why: string, again: boolean): Attempt => {
    return { line: { ...line, why }, refused: { done: false, why, again, clients: [] }, resolved: file }
  }
  try {
    const source = options.passphraseFile ?? passphraseFile ?? undefined
    const { profile, access, key: present } = await profileOpener({ file: source, option: '--passphrase-file' })(file)
    // The daemon reads it again within a second, and sends another event.
    if (present !== key || readStatusMessage(profile.save).text !== due.shown)
      return refuse('it was saved a moment ago', true)
    const outcome = await repairProfile({ profile, access, text }, { nowSec: Math.floor(Date.now() / 1000) })
    const { path: resolved } = profile
    if (!outcome.done) return { line: { ...line, why: outcome.why }, refused: outcome, resolved }
    const { backup } = outcome
    await client.call('profile.wrote', { path: file, key, text, backup, repaired: true })
    return { line: { ...line, written: true, backup }, refused: null, resolved }
  } catch (error) {
    if (!(error instanceof ToxError) && !(error instanceof CliError)) throw error
    return refuse(error.message, true)
  }
}

function format({ file, epoch, seq, backup, why }: RepairLine, verbose: boolean): string {
  const table = `your table${tableNumbers(verbose, { epoch, seq })}`
  return why === null
    ? `wrote ${table} back to ${escapeText(file)}; backup: ${escapeText(backup ?? '')}`
    : `cannot write ${table} to ${escapeText(file)} yet: ${escapeText(why)}`
}

/** `persona channel accept`: uses an invite, and waits for the host. */
import type { Client } from '../../ipc/client.ts'
import { quoteWord } from '../../ipc/command-word.ts'
import { formatHex } from '../../core/encoding/bytes.ts'
import { isExpired } from '../../channel/invite/invite.ts'
import { MAX_INVITE_CHARS, parseInvite, type ReadInvite } from '../../channel/invite/invite-text.ts'
import { withDaemon } from '../io/connect.ts'
import { print, remark, tell, type Context } from '../io/context.ts'
import { CliError, EXIT_DONE } from '../io/errors.ts'
import { escapeText, showName } from '../io/escape.ts'
import { readStdin } from '../io/input.ts'
import { formatTime } from '../io/layout.ts'
import { askLine, isInteractive } from '../io/prompt.ts'
import { checkFree, HAND_APP } from './find.ts'
import { shownParams, type ShownOptions } from './invite.ts'
import { printMet, stillWaiting, waitForMeeting } from './met.ts'

export interface AcceptOptions extends ShownOptions {
  /** The local name of the other side. */
  readonly name?: string
  /** False: come back as soon as the daemon has the invite. */
  readonly wait?: boolean
}

const MAX_STDIN_BYTES: number = 2 * MAX_INVITE_CHARS // sanity: mail programs add white space

export async function accept(context: Context, text: string, options: AcceptOptions): Promise<number> {
  const invite = text === '-' ? await readStdin(MAX_STDIN_BYTES) : text
  const read = parseInvite(invite)
  const app = checkApp(read, options.app ?? HAND_APP, context.nowSec)
  return await withDaemon(context, async (client) => {
    const name = options.name ?? (await askName(context, client, read, app))
    if (name !== null) await checkFree(client, name, app)
    const begun = await client.call('channel.accept', {
      ...shownParams(options),
      invite,
      ...(name === null ? {} : { name }),
    })
    const { id, name: who } = await client.call('channel.show', { id: begun.id })
    const shown = showName(who, begun.hostPersona)
    if (options.wait === false) {
      print(context, begun, [`the daemon uses the invite; the channel with ${shown} opens when the other side answers`])
      return EXIT_DONE
    }
    remark(context, `waiting for ${shown} to answer; Ctrl-C stops only the waiting`)
    const channel = await waitForMeeting(context, client, app, () => client.call('channel.show', { id }))
    if (channel === null) throw stillWaiting(who)
    return printMet(context, channel)
  })
}

/** An invite of another app is refused before anything is sent. @returns the app @throws {CliError} INVITE_OTHER_APP | INVITE_EXPIRED */
function checkApp(read: ReadInvite, app: string, nowSec: number): string {
  if (read.kind === 'bare') return app
  if (read.invite.app !== app) {
    const other = escapeText(read.invite.app)
    throw new CliError('INVITE_OTHER_APP', `the invite is for the app ${other}, not for ${app}`, {
      hint: `to use it by hand all the same, add --app ${quoteWord(read.invite.app)}`,
    })
  }
  if (isExpired(read.invite, nowSec)) {
    const when = formatTime(read.invite.expiresAtSec, nowSec)
    throw new CliError('INVITE_EXPIRED', `the invite was good until ${when}`, { hint: 'ask for a new one' })
  }
  return app
}

/** At a terminal people choose the name; elsewhere the daemon takes the one in the invite. */
async function askName(context: Context, client: Client, read: ReadInvite, app: string): Promise<string | null> {
  if (context.json || !isInteractive()) return null
  const { name = null, persona } = read.kind === 'invite' ? read.invite : {}
  const key = persona === undefined ? null : formatHex(persona.personaId)
  tell(`${describeHost(name, key)}\n`)
  const proposed = name === null || !(await isFree(client, name, app)) ? null : name
  const question = proposed === null ? 'Your name for them: ' : `Your name for them [${escapeText(proposed)}]: `
  for (;;) {
    const typed = (await askLine(question)).trim()
    if (typed !== '') return typed
    if (proposed !== null) return proposed
  }
}

async function isFree(client: Client, name: string, app: string): Promise<boolean> {
  try {
    await checkFree(client, name, app)
    return true
  } catch (error) {
    if (error instanceof CliError) return false
    throw error
  }
}

function describeHost(name: string | null, persona: string | null): string {
  const who = name === null ? 'Somebody who gives no name' : `Somebody who calls themselves ${showName(name, persona)}`
  const has = persona === null ? 'without a persona' : name === null ? `with the persona ${persona}` : ''
  return `${who}${has === '' ? '' : `, ${has},`} invites you to a channel.`
}

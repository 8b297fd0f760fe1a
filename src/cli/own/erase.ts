/** `persona erase`: nothing of the daemon stays on this device; what stays elsewhere is said before and after. */
import { readdir } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import type { TableDevice } from '../../ipc/shapes/contact.ts'
import type { DaemonStatus } from '../../ipc/methods/status.ts'
import { hasCode, withDaemon } from '../io/connect.ts'
import { print, type Context } from '../io/context.ts'
import { CliError, EXIT_DONE, EXIT_FAILED } from '../io/errors.ts'
import { escapeText, showName } from '../io/escape.ts'
import { removals } from './leave.ts'
import { countOf } from '../io/layout.ts'
import { askLine, isInteractive } from '../io/prompt.ts'

const DIGITS = 8
const NOBODY = '0'.repeat(DIGITS) // of a daemon without a persona
const LOOK_MS = 50
const MAX_LOOKS = 400 // sanity: 20 s, in which a daemon that was asked to stop has stopped

export interface EraseOptions {
  /** The digits, where nobody can type them. */
  readonly persona?: string
}

export async function erase(context: Context, options: EraseOptions): Promise<number> {
  const { stateDir, result } = await withDaemon(context, async (client) => {
    const status = await client.call('status')
    const digits = options.persona ?? (await askDigits(status))
    if (!/^[0-9A-Fa-f]{8}$/.test(digits.trim())) {
      throw new CliError('CANCELLED', `these are not ${DIGITS} digits of a PersonaID: nothing was erased`)
    }
    const result = await client.call('persona.erase', { digits: digits.trim() })
    return { stateDir: status.home.stateDir, result }
  })
  // The daemon answered before it stops, and most of it goes only then.
  const left = await waitUntilEmpty(stateDir)
  const isDone = left !== null
  const devices = result.remaining.map(({ name, key }) => showName(name, key)).join(', ')
  const have = result.remaining.length === 1 ? 'has' : 'have'
  const others = `${countOf(result.remaining.length, 'other device')} of yours ${have} the persona still: ${devices}`
  print(context, { ...result, stateDir, erased: isDone, left: left ?? [] }, [
    isDone
      ? `erased: ${escapeText(stateDir)}`
      : 'erasing: the daemon has begun, and whenever it starts it goes on until all is erased',
    ...(left ?? []).map((name) => `left, since it is not the daemon's: ${escapeText(name)}`),
    ...(result.remaining.length === 0 ? [] : [others, ...takeOut(result.local)]),
    ...REMAINS,
  ])
  return isDone ? EXIT_DONE : EXIT_FAILED
}

function takeOut(local: readonly TableDevice[]): string[] {
  if (local.length === 0) return []
  return ['On one of them take this one out of the table:', ...removals(local)]
}

/** What no command on this device can take back. */
const REMAINS = [
  'what remains: your Tox profiles, which show the table until their status message is changed; the table, with your friends;',
  'backups that you made; the configuration, and the journal of the service. On flash memory erased data may be found for a while.',
]

async function askDigits({ persona, home, theftProtection }: DaemonStatus): Promise<string> {
  if (!isInteractive()) {
    const hint =
      persona === null
        ? `say that there is none: --persona ${NOBODY}`
        : `give its first ${DIGITS} digits: --persona ${'X'.repeat(DIGITS)}`
    throw new CliError('NO_TERMINAL', 'nobody is there to say which persona is to be erased', { hint })
  }
  if (persona === null) {
    const what = `This erases ${escapeText(home.stateDir)}: your contacts and the history. There is no persona here.`
    process.stderr.write(`${what} There is no way back.\n`)
    return await askLine(`Type ${NOBODY} to erase it: `)
  }
  const lines = [
    `This erases ${escapeText(home.stateDir)}: your signing key, your contacts, the history. There is no way back.`,
    theftProtection
      ? 'Only another device of yours, a backup, or the recovery words bring the persona back.'
      : 'The recovery words were never confirmed: without them or a backup the persona is lost for good.',
    ...REMAINS,
    `Your PersonaID is ${persona.personaId}.`,
  ]
  process.stderr.write(`${lines.join('\n')}\n`)
  return await askLine(`Type its first ${DIGITS} digits to erase it: `)
}

/** @returns what else is in the directory; null when the daemon was not done in time */
async function waitUntilEmpty(stateDir: string): Promise<string[] | null> {
  for (let look = 0; look < MAX_LOOKS; look++) {
    const names = await namesIn(stateDir)
    // The lock goes last.
    if (!names.includes('erasing') && !names.includes('lock')) return names
    await delay(LOOK_MS)
  }
  return null
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory)
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return []
    throw error
  }
}

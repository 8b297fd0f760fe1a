/** `persona erase`: erases everything of the daemon on this device, and lists what remains elsewhere. */
import { readdir } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import type { TableDevice } from '../../ipc/shapes/contact.ts'
import type { DaemonStatus } from '../../ipc/methods/status.ts'
import { hasCode, withDaemon } from '../io/connect.ts'
import { print, tell, type Context } from '../io/context.ts'
import { CliError, EXIT_DONE, EXIT_FAILED } from '../io/errors.ts'
import { escapeText, showName } from '../io/escape.ts'
import { removals } from './leave.ts'
import { formatUnreached } from './unreached.ts'
import { countOf } from '../io/layout.ts'
import { askLine, isInteractive } from '../io/prompt.ts'

const DIGITS = 8
const NOBODY = '0'.repeat(DIGITS) // for a daemon without a persona
const LOOK_MS = 50
const MAX_LOOKS = 400 // sanity: 20 s; a daemon stops well within that

export interface EraseOptions {
  /** The digits, for use without a terminal. */
  readonly persona?: string
}

export async function erase(context: Context, options: EraseOptions): Promise<number> {
  const { stateDir, result } = await withDaemon(context, async (client) => {
    const status = await client.call('status')
    const digits = options.persona ?? (await askDigits(status))
    if (!/^[0-9A-Fa-f]{8}$/.test(digits.trim())) {
      throw new CliError('CANCELLED', `these are not the first ${DIGITS} digits of a PersonaID; nothing was erased`)
    }
    const result = await client.call('persona.erase', { digits: digits.trim() })
    return { stateDir: status.home.stateDir, result }
  })
  // The daemon answers before it stops, and erases most of its files after that.
  const left = await waitUntilEmpty(stateDir)
  const isDone = left !== null
  const devices = result.remaining.map(({ name, key }) => showName(name, key)).join(', ')
  const have = result.remaining.length === 1 ? 'has' : 'have'
  const others = `${countOf(result.remaining.length, 'other device')} of yours still ${have} the persona: ${devices}`
  print(context, { ...result, stateDir, erased: isDone, left: left ?? [] }, [
    isDone
      ? `erased: ${escapeText(stateDir)}`
      : 'still erasing: the daemon has begun, and goes on at each start until everything is erased',
    ...(left ?? []).map((name) => `kept, because it does not belong to the daemon: ${escapeText(name)}`),
    ...(result.remaining.length === 0 ? [] : [others, ...takeOut(result.local)]),
    ...formatUnreached(result.unreached),
    ...REMAINS,
  ])
  return isDone ? EXIT_DONE : EXIT_FAILED
}

function takeOut(local: readonly TableDevice[]): string[] {
  if (local.length === 0) return []
  return ['Remove this device from the table on one of them:', ...removals(local)]
}

/** No command on this device can remove these. */
const REMAINS = [
  'Not erased:',
  '  your Tox profiles; they show your table until you change their status message',
  '  the copies of your table that your friends have',
  '  your backups, the configuration and the journal of the service',
  '  on flash memory, erased data may stay readable for a while',
]

async function askDigits({ persona, home, theftProtection }: DaemonStatus): Promise<string> {
  if (!isInteractive()) {
    const hint =
      persona === null
        ? `this daemon has no persona; confirm that with --persona ${NOBODY}`
        : `give the first ${DIGITS} digits of your PersonaID: --persona ${'X'.repeat(DIGITS)}`
    throw new CliError('NO_TERMINAL', 'erase needs a terminal to ask which persona to erase', { hint })
  }
  if (persona === null) {
    const files = `This erases ${escapeText(home.stateDir)}: your contacts and the history. There is no persona here.`
    tell(`${files} You cannot undo this.\n`)
    return await askLine(`Type ${NOBODY} to erase it: `)
  }
  const lines = [
    `This erases ${escapeText(home.stateDir)}: your signing key, your contacts and the history. You cannot undo this.`,
    theftProtection
      ? 'After that you need another of your devices, a backup or the recovery words to use your persona.'
      : 'You have not confirmed the recovery words. Without them, another device or a backup, your persona is lost forever.',
    ...REMAINS,
    `Your PersonaID is ${persona.personaId}.`,
  ]
  tell(`${lines.join('\n')}\n`)
  return await askLine(`Type its first ${DIGITS} digits to erase it: `)
}

/** @returns the other files in the directory; null if the daemon did not finish in time */
async function waitUntilEmpty(stateDir: string): Promise<string[] | null> {
  for (let look = 0; look < MAX_LOOKS; look++) {
    const names = await namesIn(stateDir)
    // The daemon removes the lock last.
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

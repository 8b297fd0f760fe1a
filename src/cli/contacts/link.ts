/** `persona link`: what the owner gives to people who are to know the persona, as a line and as a QR code. */
import { groupSafetyNumber } from '../../core/safety-number.ts'
import type { OwnLink } from '../../ipc/shapes/links.ts'
import { withDaemon } from '../io/connect.ts'
import { isStyled, print, type Context } from '../io/context.ts'
import { EXIT_DONE } from '../io/errors.ts'

/** On a terminal with a QR code; elsewhere the link alone, so that it can be piped. */
export async function link(context: Context): Promise<number> {
  const own = await withDaemon(context, (client) => client.call('link.get'))
  if (!process.stdout.isTTY) print(context, own, [own.link])
  else print(context, own, await formatLinkScreen(own))
  return EXIT_DONE
}

async function formatLinkScreen(own: OwnLink): Promise<string[]> {
  // Without colours a code would be light on dark on most terminals, which many cameras do not read.
  const { drawQr } = await import('../io/qr.ts')
  const code = isStyled() ? drawQr(own.link.toUpperCase(), process.stdout.columns) : null
  return [
    ...(code === null ? [] : [...code, '']),
    own.link,
    '',
    'who adds it knows you before seeing any device: persona contact add LINK',
    `safety number, to be compared by voice or side by side, table of epoch ${own.epoch}:`,
    ...formatNumber(own.safetyNumber),
  ]
}

const GROUPS_A_LINE = 6

/** Twelve groups of five in two lines. */
export function formatNumber(digits: string): string[] {
  const groups = groupSafetyNumber(digits)
  return [groups.slice(0, GROUPS_A_LINE), groups.slice(GROUPS_A_LINE)].map((line) => `  ${line.join(' ')}`)
}

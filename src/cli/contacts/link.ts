/** `persona link`: the owner's contact link, as a line and as a QR code. */
import { groupSafetyNumber } from '../../core/safety-number.ts'
import type { OwnLink } from '../../ipc/shapes/links.ts'
import { withDaemon } from '../io/connect.ts'
import { print, printText, type Context } from '../io/context.ts'
import { showsPictures } from '../io/style.ts'
import { EXIT_DONE } from '../io/errors.ts'

export interface LinkOptions {
  /** Put this name into the link, for people who add it. */
  readonly name?: string
  /** Write the QR code into this PNG file. */
  readonly qr?: string
}

/** Adds a QR code on a terminal. Elsewhere it prints only the link, ready to be piped. */
export async function link(context: Context, options: LinkOptions): Promise<number> {
  const own = await withDaemon(context, (client) =>
    client.call('link.get', options.name === undefined ? {} : { name: options.name }),
  )
  if (options.qr !== undefined) await (await import('../io/qr.ts')).writeQr(own.link.toUpperCase(), options.qr)
  if (!process.stdout.isTTY) printText(context, own, own.link)
  else print(context, own, await formatLinkScreen(own, context.verbose))
  return EXIT_DONE
}

async function formatLinkScreen(own: OwnLink, verbose: boolean): Promise<string[]> {
  const { drawQr } = await import('../io/qr.ts')
  const code = showsPictures() ? drawQr(own.link.toUpperCase(), process.stdout.columns) : null
  return [
    ...(code === null ? [] : [...code, '']),
    own.link,
    '',
    'give this link to your friends; they add you with: persona contact add LINK',
    `your safety number, to compare in person or by voice${epochNote(own.epoch, verbose)}:`,
    ...formatNumber(own.safetyNumber),
  ]
}

/**
 * An epoch beside a safety number. Two people compare them, because a lower one means a missed rotation. Before the first
 * rotation there is nothing to compare.
 */
export function epochNote(epoch: number | null, verbose: boolean): string {
  return epoch === null || (epoch === 0 && !verbose) ? '' : ` (epoch ${epoch})`
}

const GROUPS_A_LINE = 6

/** Twelve groups of five in two lines. */
export function formatNumber(digits: string): string[] {
  const groups = groupSafetyNumber(digits)
  return [groups.slice(0, GROUPS_A_LINE), groups.slice(GROUPS_A_LINE)].map((line) => `  ${line.join(' ')}`)
}

/** Colours and bold text, where they help and where the terminal shows them (no-color.org, and --color). */

export const COLOR_CHOICES = ['auto', 'always', 'never'] as const
export type ColorChoice = (typeof COLOR_CHOICES)[number]

interface Stream {
  readonly isTTY?: boolean
}

let choice: ColorChoice = 'auto'

/** The value of --color, for the rest of the process. */
export function chooseColor(chosen: ColorChoice): void {
  choice = chosen
}

/** Whether a stream shows styles: a terminal without NO_COLOR, unless --color decides. */
export function isStyled(stream: Stream = process.stdout, env: NodeJS.ProcessEnv = process.env): boolean {
  if (choice !== 'auto') return choice === 'always'
  return stream.isTTY === true && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb'
}

/** Whether stdout shows a picture, such as a QR code. Its colours are no decoration: without them a camera cannot read it. */
export function showsPictures(): boolean {
  return process.stdout.isTTY && process.env['TERM'] !== 'dumb'
}

type Style = (text: string, stream?: Stream) => string

function style(on: number, off: number): Style {
  return (text, stream) => (isStyled(stream) ? `\x1b[${on}m${text}\x1b[${off}m` : text)
}

/** A heading. */
export const bold: Style = style(1, 22)
/** Something wrong. */
export const red: Style = style(31, 39)
/** Something to look at. */
export const yellow: Style = style(33, 39)
/** Something that is well. */
export const green: Style = style(32, 39)

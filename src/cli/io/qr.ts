/** Draws QR codes, always dark on light: on a terminal, two modules per character, or into a PNG file. */
import { open } from 'node:fs/promises'
import { create, toBuffer } from 'qrcode'
import { CliError, hasCode } from './errors.ts'

const QUIET_MODULES = 4 // format: the quiet zone of ISO/IEC 18004, a camera may not find a code without it
// Corners of the 256-colour cube. Themes leave these alone, but often turn plain black and white into greys.
const DARK_ON_LIGHT = '\x1b[38;5;16;48;5;231m'
const AS_BEFORE = '\x1b[0m'

/** Whether the module at this place is dark. Outside the code lies the quiet zone, which is light. */
function moduleOf(code: ReturnType<typeof create>, row: number, column: number): boolean {
  const { size, data } = code.modules
  return row >= 0 && column >= 0 && row < size && column < size && data[row * size + column] === 1
}

/**
 * Draws a text as lines of half blocks. A text of only upper-case letters, digits and ` $%*+-./:` gives a smaller code.
 * @param maxColumns the width of the terminal
 * @param level how much of the code may be damaged: 'L' gives a smaller code
 * @returns null if the code is wider
 */
export function drawQr(text: string, maxColumns: number, level: 'L' | 'M' = 'M'): string[] | null {
  const code = create(text, { errorCorrectionLevel: level })
  const end = code.modules.size + QUIET_MODULES
  if (end + QUIET_MODULES > maxColumns) return null
  const lines: string[] = []
  for (let row = -QUIET_MODULES; row < end; row += 2) {
    let line = ''
    for (let column = -QUIET_MODULES; column < end; column++) {
      const [upper, lower] = [moduleOf(code, row, column), moduleOf(code, row + 1, column)]
      line += upper ? (lower ? '█' : '▀') : lower ? '▄' : ' '
    }
    lines.push(DARK_ON_LIGHT + line + AS_BEFORE)
  }
  return lines
}

const PIXELS_A_MODULE = 8 // sanity: sharp on a screen and in a message, and some 10 kB
const FILE_MODE = 0o600 // a pairing code is a secret

/**
 * Writes the QR code of a text into a new PNG file.
 * @throws {CliError} FILE_EXISTS | FILE_UNWRITABLE
 */
export async function writeQr(text: string, file: string): Promise<void> {
  const image = await toBuffer(text, {
    errorCorrectionLevel: 'M',
    margin: QUIET_MODULES,
    scale: PIXELS_A_MODULE,
    color: { dark: '#000000', light: '#ffffff' },
  })
  try {
    const handle = await open(file, 'wx', FILE_MODE)
    try {
      await handle.writeFile(image)
    } finally {
      await handle.close()
    }
  } catch (cause) {
    if (hasCode(cause, 'EEXIST'))
      throw new CliError('FILE_EXISTS', `${file} already exists`, { hint: 'choose another name', cause })
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error'
    throw new CliError('FILE_UNWRITABLE', `cannot write ${file} (${code})`, { cause })
  }
}

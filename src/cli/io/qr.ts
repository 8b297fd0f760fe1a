/** QR codes on a terminal: two modules a character, dark on light whatever the terminal's own colours are. */
import { create } from 'qrcode'

const QUIET_MODULES = 4 // format: the quiet zone of ISO/IEC 18004, without which a camera may not find the code
// The corners of the colour cube of 256, which themes leave alone: the plain black and white of many a theme are two greys.
const DARK_ON_LIGHT = '\x1b[38;5;16;48;5;231m'
const AS_BEFORE = '\x1b[0m'

/** The module at a place is dark; what lies outside of the code is quiet zone. */
function moduleOf(code: ReturnType<typeof create>, row: number, column: number): boolean {
  const { size, data } = code.modules
  return row >= 0 && column >= 0 && row < size && column < size && data[row * size + column] === 1
}

/**
 * A text as lines of half blocks. The text is written in the short alphabet of QR codes when it has only upper-case letters, digits and
 * ` $%*+-./:`.
 * @param maxColumns of the terminal
 * @returns null when it is wider than that
 */
export function drawQr(text: string, maxColumns: number): string[] | null {
  const code = create(text, { errorCorrectionLevel: 'M' })
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

/** The parts of a search for secrets: the forms in which a leaked one may appear, and the files of a directory. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Every form in which a secret of so many bytes could appear by mistake. */
export function formsOf(bytes: Uint8Array): Buffer[] {
  const raw = Buffer.from(bytes)
  const hex = raw.toString('hex')
  const texts = [hex, hex.toUpperCase(), ...base64FormsOf(raw), bytes.join()]
  return [raw, ...[...new Set(texts)].map((text) => Buffer.from(text))]
}

/** The characters of base64 that the bytes alone decide, wherever they begin in longer ones. */
function base64FormsOf(raw: Buffer): string[] {
  return [0, 1, 2].flatMap((before) => {
    const bytes = Buffer.concat([Buffer.alloc(before), raw])
    const from = Math.ceil((before * 8) / 6)
    const to = Math.floor((bytes.length * 8) / 6)
    return (['base64', 'base64url'] as const).map((encoding) => bytes.toString(encoding).slice(from, to))
  })
}

/** All files below a directory, which no daemon changes meanwhile. */
export function filesBelow(directory: string): Buffer[] {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true })
  return entries.flatMap((entry) => (entry.isFile() ? [readFileSync(join(entry.parentPath, entry.name))] : []))
}

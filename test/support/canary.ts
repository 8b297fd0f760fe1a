/** The parts of a search for secrets: the forms in which a leaked one may appear, and the files of a directory. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Every form in which a secret of so many bytes could appear by mistake. */
export function formsOf(bytes: Uint8Array): Buffer[] {
  const raw = Buffer.from(bytes)
  const hex = raw.toString('hex')
  const texts = [
    hex,
    hex.toUpperCase(),
    raw.toString('base64').replace(/=+$/, ''),
    raw.toString('base64url'),
    bytes.join(),
  ]
  return [raw, ...texts.map((text) => Buffer.from(text))]
}

/** All files below a directory, which no daemon changes meanwhile. */
export function filesBelow(directory: string): Buffer[] {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true })
  return entries.flatMap((entry) => (entry.isFile() ? [readFileSync(join(entry.parentPath, entry.name))] : []))
}

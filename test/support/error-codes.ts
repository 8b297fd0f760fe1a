/** Reads the unions of error codes from the source, because types do not exist at run time. */
import { readFileSync } from 'node:fs'

/** The members of a union in src/core/errors.ts or another file of src, including the members of unions it contains. */
export function codesOf(union: string, file = 'core/errors.ts'): string[] {
  const source = readFileSync(new URL(`../../src/${file}`, import.meta.url), 'utf8')
  const body = new RegExp(`export type ${union} =\n((?:  \\|.*\n)+)`).exec(source)?.[1]
  if (body === undefined) throw new Error(`src/${file} has no union ${union}`)
  return [...body.matchAll(/^ {2}\| (?:'([A-Z0-9_]+)'|(\w+))/gm)].flatMap(([, code, other]) => {
    return code === undefined ? codesOf(other!, file) : [code]
  })
}

/** The unions of error codes, read from the source: a type leaves nothing to ask at run time. */
import { readFileSync } from 'node:fs'

const ERRORS = new URL('../../src/core/errors.ts', import.meta.url)

/** The members of a union in src/core/errors.ts, those of the unions that it includes among them. */
export function codesOf(union: string): string[] {
  const body = new RegExp(`export type ${union} =\n((?:  \\|.*\n)+)`).exec(readFileSync(ERRORS, 'utf8'))?.[1]
  if (body === undefined) throw new Error(`src/core/errors.ts has no union ${union}`)
  return [...body.matchAll(/^ {2}\| (?:'([A-Z0-9_]+)'|(\w+))/gm)].flatMap(([, code, other]) => {
    return code === undefined ? codesOf(other!) : [code]
  })
}

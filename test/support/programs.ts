/** Where the programs lie that tests start. */
import { join, resolve } from 'node:path'

export type Program = 'persona' | 'personad' | 'personad-net' | 'personad-rtc' | 'persona-relay'

const CHECKOUT = resolve(import.meta.dirname, '../..')
/** The package that the run has built ({@link ./built-package.ts}). Outside of a run of tests there is none. */
const PACKAGE: string | undefined = process.env['BUILT_PACKAGE']

/** The launcher of a program. */
export function launcherOf(program: Program, from: 'package' | 'sources' = 'package'): string {
  return join((from === 'package' ? PACKAGE : undefined) ?? CHECKOUT, 'src/launch', `${program}.js`)
}

/** The main module of the Tox node, which has no launcher. */
export const TOX_NODE: string =
  PACKAGE === undefined ? join(CHECKOUT, 'src/toxnode/main.ts') : join(PACKAGE, 'dist/toxnode/main.js')

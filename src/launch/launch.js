// Finds the program, as sources in a checkout and compiled in a package, and starts it on a Node that can run it.
// Plain JavaScript that Node 18 parses.
import { existsSync, lstatSync, mkdirSync } from 'node:fs'
import module from 'node:module'
import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import process from 'node:process'

const OLDEST = [22, 18]

/**
 * @param {string} name what the user called
 * @param {string} main path of the main module, without its extension
 * @param {{ cache: boolean }} options cache: keep compiled code, for what is started often and runs briefly
 */
export async function launch(name, main, { cache }) {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) {
    process.stderr.write(
      `${name}: error: this needs Node.js ${OLDEST.join('.')} or newer, and is run by ${process.version}\n`,
    )
    process.exit(1)
  }
  if (cache) keepCompiledCode()
  const sources = new URL(`../${main}.ts`, import.meta.url)
  const compiled = new URL(`../../dist/${main}.js`, import.meta.url)
  await import((existsSync(sources) ? sources : compiled).href)
}

// Without it each start strips types and compiles anew. Node's own place for this is in the shared /tmp, where another user could
// put code in before us: so a directory that is ours alone, or none.
function keepCompiledCode() {
  if (process.env.NODE_COMPILE_CACHE !== undefined || process.env.NODE_DISABLE_COMPILE_CACHE !== undefined) return
  try {
    const base = process.env.XDG_CACHE_HOME
    const directory = join(base !== undefined && isAbsolute(base) ? base : join(homedir(), '.cache'), 'personad')
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    const stats = lstatSync(directory)
    if (stats.isDirectory() && stats.uid === process.getuid() && (stats.mode & 0o077) === 0)
      module.enableCompileCache(directory)
  } catch {
    // Slower, and nothing else.
  }
}

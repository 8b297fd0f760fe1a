// Checks the version of Node.js, finds the program (sources in a checkout, compiled files in a package) and starts it.
// Plain JavaScript, so that Node 18 can parse it.
import { existsSync, lstatSync, mkdirSync } from 'node:fs'
import module from 'node:module'
import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import process from 'node:process'

const OLDEST = [22, 18]

/**
 * @param {string} name the command that the user typed
 * @param {string} main path of the main module, without its extension
 * @param {{ cache: boolean }} options cache: keep compiled code, for a program that starts often and runs briefly
 */
export async function launch(name, main, { cache }) {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) {
    process.stderr.write(
      `${name}: error: ${name} needs Node.js ${OLDEST.join('.')} or newer, but this is ${process.version}\n`,
    )
    process.exit(1)
  }
  if (cache) keepCompiledCode()
  const sources = new URL(`../${main}.ts`, import.meta.url)
  const compiled = new URL(`../../dist/${main}.js`, import.meta.url)
  await import((existsSync(sources) ? sources : compiled).href)
}

// Caches compiled code. Without a cache, each start strips types and compiles again. The default directory of Node lies in the shared /tmp,
// where another user could plant code. So the cache is a private directory, or there is no cache.
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
    // Without a cache the start is only slower.
  }
}

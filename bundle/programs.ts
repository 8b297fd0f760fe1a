/** Bundles the programs, and the modules that apps import, into `dist/` of the package (docs/decisions/0044). */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, relative, resolve } from 'node:path'
import { build, type BuildOptions, type Metafile, type Plugin } from 'esbuild'

const ROOT = resolve(import.meta.dirname, '..')
const SRC = resolve(ROOT, 'src')

/** Each program has a bundle of its own: with files that programs share, the daemon would load 93 in place of 27. */
const PROGRAMS = ['cli', 'daemon', 'netnode', 'relayd', 'rtcnode', 'toxnode']

/** Modules of package.json's `exports`. They share files, so that an app that imports both has one class of each error. */
const EXPORTS = ['crypto/read-status', 'ipc/client']

/** Packages, and files of one, that stay as they are, because they find their native code from their own place. */
const NATIVE = ['koffi', 'node-datachannel', 'sodium-native/*']

/** The file of classic-level that loads its native code. The rest of the package is bundled. */
const NATIVE_LEVEL = 'classic-level/binding.js'

const nativeLevel: Plugin = {
  name: 'native code of classic-level',
  setup: (bundler) => {
    bundler.onResolve({ filter: /^\.\/binding$/ }, ({ resolveDir }) =>
      resolveDir.endsWith('/node_modules/classic-level') ? { path: NATIVE_LEVEL, external: true } : null,
    )
  },
}

/**
 * sodium-native looks for its native code with ten files of packages that only do that, which is 5 % of the start of the daemon. Where its build is
 * in the usual place, it is loaded from there. The builds are for glibc, so on Alpine Linux the package looks by itself.
 */
const nativeSodium: Plugin = {
  name: 'native code of sodium-native',
  setup: (bundler) => {
    const contents = `
      const { existsSync } = require('node:fs')
      const build = \`sodium-native/prebuilds/\${process.platform}-\${process.arch}/sodium-native.node\`
      const load = () => {
        if (!existsSync('/etc/alpine-release')) try { return require(build) } catch {}
        return require('sodium-native/binding.js')
      }
      module.exports = load()`
    bundler.onLoad({ filter: /\/sodium-native\/binding\.js$/ }, () => ({ contents }))
  },
}

/**
 * Source files find other files from their own place. Every output lies in a folder of `dist/`, so a source names its place from there. It then has
 * the same depth below the root of the package as the source in a checkout.
 */
const sources: Plugin = {
  name: 'sources',
  setup: (bundler) => {
    bundler.onLoad({ filter: /\.ts$/ }, ({ path }) => {
      const place = `../${relative(SRC, path).replace(/ts$/, 'js')}`
      const contents = readFileSync(path, 'utf8').replaceAll(
        'import.meta.url',
        `new URL('${place}', import.meta.url).href`,
      )
      return { contents, loader: 'ts' }
    })
  },
}

interface Bundle {
  /** Modules of src, without their extension. */
  readonly entries: readonly string[]
  /** The folder of `dist/` for the files beside the entries. */
  readonly folder: string
  readonly options: Pick<BuildOptions, 'external' | 'packages'>
}

/** CommonJS packages call `require` for modules of Node and for native code. */
const REQUIRE = "import { createRequire as requireOf } from 'node:module'\nconst require = requireOf(import.meta.url)\n"

/** @returns the files of packages that the bundle contains, relative to the root */
async function bundle({ entries, folder, options }: Bundle, dist: string): Promise<string[]> {
  const { outputFiles, metafile } = await build({
    entryPoints: entries.map((entry) => ({ in: resolve(SRC, `${entry}.ts`), out: entry })),
    outdir: dist,
    bundle: true,
    splitting: true,
    chunkNames: `${folder}/[name]-[hash]`,
    format: 'esm',
    platform: 'node',
    target: 'node22.18',
    write: false,
    metafile: true,
    absWorkingDir: ROOT,
    // Else winston brings a package that colours diagnostics, and packages of colours.
    define: { 'process.env.NODE_ENV': '"production"' },
    plugins: [sources, nativeLevel, nativeSodium],
    ...options,
  })
  checkLazyPackages(metafile)
  checkLanguages(metafile)
  for (const { path, text: whole } of outputFiles) {
    const text = asAscii(whole)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text.includes('__require = ') ? REQUIRE + text : text)
  }
  return Object.keys(metafile.inputs).filter((path) => path.startsWith('node_modules/'))
}

/**
 * Escapes what is not ASCII, which esbuild leaves in comments and regular expressions. V8 keeps a text with one such character in two bytes for
 * each character: for the daemon that was 1.7 MB, as long as it runs. One after a backslash stays, since there an escape would read as two characters.
 */
function asAscii(text: string): string {
  return text.replaceAll(/(?<!\\)[\u0080-\uFFFF]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** @throws {Error} if an `import()` names a CommonJS package: in a bundle it would get the default alone, and no named export */
function checkLazyPackages({ outputs }: Metafile): void {
  for (const { entryPoint, exports } of Object.values(outputs))
    if (entryPoint?.startsWith('node_modules/') && exports.join() === 'default')
      throw new Error(`${entryPoint} is imported lazily; import it in a module of src, and that module lazily`)
}

/** @throws {Error} if a bundle has the messages of zod in all its languages, as `import { z }` brings them */
function checkLanguages({ outputs }: Metafile): void {
  const parts = Object.values(outputs).flatMap(({ inputs }) => Object.entries(inputs))
  if (parts.some(([path, { bytesInOutput }]) => /zod\/v4\/locales\/de\./.test(path) && bytesInOutput > 0))
    throw new Error('a bundle has zod in 50 languages; write import * as z in each module')
}

/** Bundles everything. @param dist gets the files; what was there before stays */
export async function bundlePrograms(dist: string): Promise<void> {
  const bundles: Bundle[] = [
    ...PROGRAMS.map((name) => ({ entries: [`${name}/main`], folder: name, options: { external: NATIVE } })),
    { entries: EXPORTS, folder: 'shared', options: { packages: 'external' } },
  ]
  const files = await Promise.all(bundles.map((each) => bundle(each, dist)))
  writeFileSync(resolve(dist, 'LICENSES.txt'), licences(files.flat()))
}

/** The licence of each package of which a bundle has a part, as the licences ask. */
function licences(files: readonly string[]): string {
  const folders = new Set(files.map((file) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)![0]))
  return [...folders].toSorted().map(licence).join('\n')
}

function licence(folder: string): string {
  const at = resolve(ROOT, folder)
  const { name, version } = JSON.parse(readFileSync(resolve(at, 'package.json'), 'utf8')) as Record<string, string>
  const file = readdirSync(at).find((each) => /^licen[cs]e/i.test(each))
  if (file === undefined) throw new Error(`${folder} has no file with its licence; do not bundle it`)
  return `${name} ${version}\n\n${readFileSync(resolve(at, file), 'utf8').trim()}\n`
}

if (import.meta.main) await bundlePrograms(resolve(ROOT, 'dist'))

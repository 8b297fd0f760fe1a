/**
 * The package of `npm pack`, used by another project. The tarball is unpacked into that project's node_modules, and only its runtime
 * dependencies are linked there. `npm install` would need a registry.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bundleConnectoid } from '../../bundle/connectoid.ts'
import { person } from '../support/person.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const PACK_TIMEOUT_MS = 120_000
const alice = person('Alice')

interface Manifest {
  readonly version: string
  readonly dependencies: Readonly<Record<string, string>>
  readonly optionalDependencies: Readonly<Record<string, string>>
  readonly bin: Readonly<Record<string, string>>
}

const temp = realpathSync(mkdtempSync(join(tmpdir(), 'personad-package-')))
const project = join(temp, 'project')
const installed = join(project, 'node_modules', 'personad')
const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Manifest

/** Runs a program in a directory. @returns what it printed */
function run(directory: string, program: string, ...args: readonly string[]): string {
  return execFileSync(program, args, { cwd: directory, encoding: 'utf8', env: environment() })
}

function environment(): NodeJS.ProcessEnv {
  // As in a shell: npm would inherit the settings of an outer npm, such as --offline or the name of a script.
  const own = Object.entries(process.env).filter(([name]) => !name.toLowerCase().startsWith('npm_'))
  const path = `${dirname(process.execPath)}:${process.env.PATH}`
  return { ...Object.fromEntries(own), PATH: path, npm_config_cache: join(temp, 'cache'), npm_config_offline: 'true' }
}

/** Packs a copy of the tree, so that no dist remains in the tree itself. @returns the tarball */
function pack(): string {
  const tree = join(temp, 'tree')
  mkdirSync(tree)
  const left = new Set(['node_modules', '.git', 'dist', 'bench'])
  for (const name of readdirSync(ROOT)) {
    if (!left.has(name)) cpSync(join(ROOT, name), join(tree, name), { recursive: true })
  }
  symlinkSync(join(ROOT, 'node_modules'), join(tree, 'node_modules'))
  run(tree, 'npm', 'pack', '--silent', '--pack-destination', temp)
  return join(temp, `personad-${manifest.version}.tgz`)
}

function install(tarball: string): void {
  mkdirSync(installed, { recursive: true })
  run(installed, 'tar', '-xzf', tarball, '--strip-components=1')
  mkdirSync(join(project, 'node_modules', '.bin'))
  for (const [name, script] of Object.entries(manifest.bin)) {
    symlinkSync(join('..', 'personad', script), join(project, 'node_modules', '.bin', name))
  }
  for (const name of Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies })) {
    const link = join(project, 'node_modules', name)
    mkdirSync(dirname(link), { recursive: true })
    if (existsSync(join(ROOT, 'node_modules', name))) symlinkSync(join(ROOT, 'node_modules', name), link)
  }
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'an-app', type: 'module' }))
}

/** Leftovers of packing in a directory. */
function builtIn(directory: string): string[] {
  return readdirSync(directory).filter((name) => name === 'dist' || name.endsWith('.tgz'))
}

const before = builtIn(ROOT)
beforeAll(() => install(pack()), PACK_TIMEOUT_MS)
afterAll(() => rmSync(temp, { recursive: true, force: true }), PACK_TIMEOUT_MS)

/** Runs a module that imports one entry. @returns each loaded module: those of the package by their source, others by name */
function loadedBy(code: string): { loaded: string[]; printed: string } {
  const hooks = join(project, 'hooks.mjs')
  const source = `
    import { registerHooks } from 'node:module'
    import { writeSync } from 'node:fs'
    registerHooks({
      resolve(name, context, next) {
        const found = next(name, context)
        writeSync(2, found.url + '\\n')
        return found
      },
    })`
  writeFileSync(hooks, source)
  const app = join(project, 'app.mjs')
  writeFileSync(app, code)
  const script = `${process.execPath} --import ${pathToFileURL(hooks).href} ${app} 2> ${join(project, 'loaded')}`
  const printed = run(project, 'sh', '-c', script)
  const urls = readFileSync(join(project, 'loaded'), 'utf8').trimEnd().split('\n')
  return { printed, loaded: urls.filter((url) => url !== pathToFileURL(app).href).flatMap(namesOf) }
}

function namesOf(url: string): string[] {
  const root = `${pathToFileURL(installed).href}/`
  if (!url.startsWith(root)) return [/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1] ?? url]
  // The bundler names the source of each part in a comment, except in the library for pages, which has no comments.
  const sources = readFileSync(new URL(url), 'utf8').matchAll(/^\/\/ (src\/\S+)$/gm)
  const names = [...sources].map(([, source]) => source!)
  return names.length > 0 ? names : [url.slice(root.length)]
}

describe('the tarball', () => {
  test('holds the compiled program, the documents, the settings, the unit, the examples for apps and the vectors, and no sources or tests', () => {
    const there = ['LICENSE', 'README.md', 'CHANGELOG.md', 'SECURITY.md', 'config/personad.yaml', 'docs/ipc.md']
    const more = [
      'systemd/personad.service',
      'src/launch/persona.js',
      'dist/crypto/read-status.d.ts',
      'dist/ipc/client.js',
    ]
    for (const file of [...there, ...more]) expect(existsSync(join(installed, file)), file).toBe(true)
    expect(readdirSync(join(installed, 'src'))).toEqual(['launch'])
    expect(readdirSync(join(installed, 'test')).toSorted()).toEqual(['README.md', 'vectors'])
    expect(readdirSync(join(installed, 'examples')).toSorted()).toEqual([
      'coturn',
      'list.py',
      'merged-friends.ts',
      'merged_friends.py',
      'notes.py',
      'persona_lookup.c',
      'ping.py',
      'ping.ts',
      'relay',
      'two-apps',
      'who-is.ts',
      'who_is.py',
    ])
    expect(readdirSync(installed).filter((name) => /^(bench|node_modules)$/.test(name))).toEqual([])
  })

  test('has every file that its documents link to', () => {
    const documents = ['README.md', ...markdownIn('docs'), 'test/README.md', 'test/vectors/README.md']
    const links = documents.flatMap((file) => {
      const text = readFileSync(join(installed, file), 'utf8').replaceAll(/^```[^]*?^```/gm, '')
      return [...text.matchAll(/\]\((?!\w+:|#)([^)#]+)[^)]*\)/g)].map(([, link]) => [file, link!] as const)
    })
    expect(links.length).toBeGreaterThan(80)
    expect(links.filter(([file, link]) => !existsSync(join(installed, dirname(file), link)))).toEqual([])
  })

  test('leaves nothing in the tree', () => {
    expect(builtIn(ROOT)).toEqual(before)
  })
})

function markdownIn(directory: string): string[] {
  return readdirSync(join(installed, directory), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(directory, name))
}

function reading(text: string): string {
  return `import { readStatus } from 'personad/blob'\nconsole.log(JSON.stringify(readStatus(${JSON.stringify(text)})))`
}

describe('personad/blob', () => {
  test('reads a status message, and loads only core, the portable verifier and tweetnacl', () => {
    const { loaded, printed } = loadedBy(reading(alice.table(['laptop', 'phone']).text('in the garden')))
    const devices = [alice.device('laptop'), alice.device('phone')]
    expect(JSON.parse(printed)).toMatchObject({ kind: 'table', words: 'in the garden', table: { devices } })
    const allowed =
      /^(src\/core\/(?:\w+\/)?[\w-]+\.ts|src\/errors\/personad-error\.ts|src\/crypto\/(read-status|portable-verify)\.ts|tweetnacl)$/
    expect(loaded).toContain('src/crypto/read-status.ts')
    // tweetnacl looks for a source of randomness when it loads. In a browser it uses the browser's own.
    expect(loaded.filter((name) => !allowed.test(name))).toEqual(['node:crypto'])
  })

  test('is checked by hooks that do see the modules of other entries', () => {
    const { loaded } = loadedBy(`import 'personad/client'`)
    expect(loaded).toEqual(expect.arrayContaining(['src/ipc/client.ts', 'node:net']))
    const native = loadedBy(`import 'sodium-native'; import 'level'; import 'node-ipc'`)
    expect(native.loaded).toEqual(expect.arrayContaining(['sodium-native', 'level', 'node-ipc']))
  })
})

describe('personad/connectoid', () => {
  test('is the one file that the tests of pages run, and loads nothing else', async () => {
    const { loaded, printed } = loadedBy(
      `import { Connectoid } from 'personad/connectoid'
      await Connectoid.open({ app: 'Not a name', service: 'https://relay.example/' }).catch(({ name, code }) => console.log(name, code))`,
    )
    expect(printed).toBe('ConnectoidError BAD_APP\n')
    expect(loaded).toEqual(['dist/connectoid.js'])
    expect(readFileSync(join(installed, 'dist/connectoid.js'), 'utf8')).toBe(await bundleConnectoid())
  })
})

describe('for a project in TypeScript', () => {
  test('all entries have types, and tsc refuses wrong uses', () => {
    const app = readFileSync(join(ROOT, 'examples', 'who-is.ts'), 'utf8')
    const inProject = app.replace("'../src/ipc/client.ts'", "'personad/client'")
    expect(inProject).not.toBe(app)
    writeFileSync(join(project, 'who-is.ts'), inProject)
    writeFileSync(
      join(project, 'read.ts'),
      `import { readStatus, BlobError, type BlobErrorCode, type StatusReading, type VerifiedTable } from 'personad/blob'
      const reading: StatusReading = readStatus('brb', { from: '00' })
      export const table: VerifiedTable | null = reading.kind === 'table' ? reading.table : null
      export const code: BlobErrorCode | null = reading.kind === 'refused' ? reading.error.code : null
      export const isOurs: boolean = reading.kind === 'refused' && reading.error instanceof BlobError
      // @ts-expect-error there is no such member of words without a table
      export const none: unknown = reading.kind === 'none' ? reading.table : null`,
    )
    writeFileSync(
      join(project, 'wrong.ts'),
      `import { connect } from 'personad/client'
      const client = await connect({ socketPath: '/nowhere' })
      // @ts-expect-error a method that does not exist
      await client.call('sign', {})
      // @ts-expect-error params of another method
      await client.call('lookup', { text: '' })`,
    )
    writeFileSync(
      join(project, 'page.ts'),
      `import { Connectoid } from 'personad/connectoid'
      const connectoid = await Connectoid.open({ app: 'list', service: 'https://relay.example/' })
      connectoid.onchange = ({ name, way }) => console.log(name, way === 'direct')
      const { url, qr }: { url: string; qr: string } = await connectoid.share('Bob')
      export const number: number = await (await connectoid.accept(url, qr)).send('milk')
      // @ts-expect-error a member that does not exist
      connectoid.peers()[0]?.key`,
    )
    const tsc = join(ROOT, 'node_modules', '.bin', 'tsc')
    const strict = [
      '--noEmit',
      '--strict',
      '--exactOptionalPropertyTypes',
      '--target',
      'es2024',
      '--module',
      'nodenext',
    ]
    const types = ['--types', 'node', '--typeRoots', join(ROOT, 'node_modules', '@types')]
    // The declarations themselves are checked too: no --skipLibCheck.
    expect(run(project, tsc, ...strict, ...types, 'who-is.ts', 'read.ts', 'page.ts', 'wrong.ts')).toBe('')
  })
})

function bin(name: string): string {
  return join(project, 'node_modules', '.bin', name)
}

describe('the programs of the package', () => {
  const home = join(temp, 'home')
  let daemon: ChildProcess

  beforeAll(async () => {
    daemon = spawn(bin('personad'), ['--home', home], { env: environment(), stdio: ['ignore', 'ignore', 'pipe'] })
    let log = ''
    await new Promise<void>((ready, failed) => {
      daemon.once('exit', () => failed(new Error(`the packed daemon ended: ${log}`)))
      daemon.stderr!.setEncoding('utf8').on('data', (text: string) => {
        log += text
        if (log.includes('"daemon.ready"')) ready()
      })
    })
  })
  afterAll(() => void daemon.kill('SIGKILL'))

  test('work together and report the version of the package', () => {
    const status = JSON.parse(run(project, bin('persona'), '--home', home, 'status', '--json')) as { version: string }
    expect(status.version).toBe(manifest.version)
    expect(run(project, bin('persona'), '--version')).toContain(manifest.version)
    const text = alice.table(['laptop']).text()
    expect(JSON.parse(run(project, bin('persona'), 'verify', text, '--json'))).toMatchObject({ valid: true })
  })

  test('run persona-relay from the compiled files, with its templates', async () => {
    const directory = join(temp, 'relay')
    expect(run(project, bin('persona-relay'), 'init', directory, '--url', 'https://relay.example')).toContain('Next:')
    const config = join(temp, 'relay.yaml')
    writeFileSync(config, 'listen: 127.0.0.1:0\n', { mode: 0o600 })
    const args = ['serve', '--dir', join(temp, 'relay-data'), '--config', config]
    const relay = spawn(bin('persona-relay'), args, { env: environment(), stdio: ['ignore', 'pipe', 'ignore'] })
    const [printed] = (await once(relay.stdout, 'data')) as [Buffer]
    const [url] = /http:\/\/127[^/]*/.exec(String(printed))!
    expect(await (await fetch(`${url}/healthz`)).json()).toEqual({ ok: true })
    relay.kill('SIGTERM')
    expect(await once(relay, 'exit')).toEqual([0, null])
  })

  test('answer an app that uses personad/client', () => {
    const text = alice.table(['laptop']).text()
    run(project, bin('persona'), '--home', home, 'observe', text, '--from', alice.key('laptop'))
    writeFileSync(
      join(project, 'ask.mjs'),
      `import { connect } from 'personad/client'
      const client = await connect({ socketPath: process.argv[2] })
      const { contact } = await client.call('lookup', { query: process.argv[3] })
      console.log(contact.personaId, contact.active)
      await client.close()`,
    )
    const socket = join(home, 'run', 'app.sock')
    const printed = run(project, process.execPath, 'ask.mjs', socket, alice.key('laptop'))
    expect(printed).toBe(`${alice.id} ${alice.key('laptop')}\n`)
  })
})

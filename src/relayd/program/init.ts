/** The command `init`: writes what a public relay needs, filled in from its URL. It changes nothing else on the machine. */
import { accessSync, constants, readFileSync, realpathSync, statSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { makeDirectories } from '../../durable/directories.ts'
import { PersonadError } from '../../errors/personad-error.ts'
import { parseRelayUrl } from './relay-config.ts'

export type InitErrorCode =
  | 'INIT_URL' // no URL of a relay
  | 'INIT_EXISTS' // a file is there already
  | 'INIT_PATH' // a unit cannot name the path
  | 'INIT_UNWRITABLE'

export class InitError extends PersonadError<InitErrorCode> {
  override readonly name = 'InitError'
}

export interface InitOptions {
  readonly directory: string
  readonly url: string
}

const CONFIG = 'persona-relay.yaml'
const UNIT = 'persona-relay.service'
const CADDYFILE = 'Caddyfile'

/** @returns the exit status @throws {InitError} any of its codes */
export function initRelay({ directory, url: given }: InitOptions): number {
  const url = parseRelayUrl(given)
  if (url === null)
    throw new InitError(
      'INIT_URL',
      `${JSON.stringify(given)} is no URL of a relay: give one such as https://relay.example, without a query`,
    )
  const at = resolve(directory)
  const node = realpathSync(process.execPath)
  const launcher = fileURLToPath(new URL('../../../src/launch/persona-relay.js', import.meta.url))
  const files = new Map([
    [CONFIG, renderConfig(template('config/persona-relay.yaml'), url)],
    [UNIT, renderRelayUnit(template('systemd/persona-relay.service'), { node, launcher, config: join(at, CONFIG) })],
    [CADDYFILE, renderCaddyfile(template('examples/relay/Caddyfile'), url)],
  ])
  writeAll(at, files)
  console.log(nextSteps(at, url))
  const hidden = [node, launcher, at].filter((path) => /^\/(home|root|run\/user|tmp|var\/tmp)\//.test(path))
  if (hidden.length > 0)
    console.error(
      `persona-relay: hint: the unit hides home directories and /tmp from the relay, and these lie there: ${hidden.join(', ')}. Install Node and this package below /usr/local or /opt, and use /etc/persona-relay for DIR.`,
    )
  return 0
}

function template(path: string): string {
  return readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8')
}

/** Replaces the value of a key outside any section. */
function withValue(yaml: string, key: string, value: string): string {
  const line = new RegExp(`^${key}: .*$`, 'm')
  if (!line.test(yaml)) throw new Error(`the template has no key ${key}`)
  return yaml.replace(line, () => `${key}: ${value}`)
}

/** The default configuration for a relay after a proxy of this machine. */
export function renderConfig(yaml: string, url: string): string {
  return withValue(withValue(yaml, 'url', JSON.stringify(url)), 'trust_proxy', "['127.0.0.1', '::1']")
}

export interface UnitPaths {
  readonly node: string
  readonly launcher: string
  readonly config: string
}

/** @throws {InitError} INIT_PATH */
export function renderRelayUnit(unit: string, { node, launcher, config }: UnitPaths): string {
  for (const path of [node, launcher, config])
    if (!/^\/[\w./@+-]+$/.test(path))
      throw new InitError('INIT_PATH', `a unit cannot name ${path}: use a path of letters, digits and ./@+_-`)
  return unit.replace(/^ExecStart=.*$/m, () => `ExecStart=${node} ${launcher} serve --config ${config}`)
}

/** A site of Caddy. It has a certificate where the URL begins with https. */
export function renderCaddyfile(caddyfile: string, url: string): string {
  const { protocol, host, pathname } = new URL(url)
  const site = protocol === 'https:' ? host : `http://${host}`
  const matcher = pathname === '/' ? '' : `${pathname}* `
  return caddyfile
    .replace(/^relay\.example \{$/m, () => `${site} {`)
    .replace('reverse_proxy ', () => `reverse_proxy ${matcher}`)
}

function writeAll(at: string, files: ReadonlyMap<string, string>): void {
  try {
    makeDirectories(at, 0o755)
    accessSync(at, constants.W_OK)
  } catch (cause) {
    throw new InitError('INIT_UNWRITABLE', `cannot write into ${at}: choose another directory, or run this as root`, {
      cause,
    })
  }
  for (const name of files.keys()) {
    const path = join(at, name)
    if (statSync(path, { throwIfNoEntry: false }) !== undefined)
      throw new InitError(
        'INIT_EXISTS',
        `${path} exists already, and nothing was written: move it away, or choose another directory`,
      )
  }
  // None of them is a secret, and the user of the service has to read them.
  for (const [name, text] of files) writeFileSync(join(at, name), text, { mode: 0o644, flag: 'wx' })
}

function nextSteps(at: string, url: string): string {
  return `Wrote ${CONFIG}, ${UNIT} and ${CADDYFILE} into ${at}. Next:
  1. Write your name and an address into ${join(at, CONFIG)} (operator, terms).
  2. sudo cp ${join(at, UNIT)} /etc/systemd/system/ && sudo systemctl daemon-reload
     sudo systemctl enable --now persona-relay
  3. Add ${join(at, CADDYFILE)} to the Caddyfile of this machine, and reload Caddy.
  4. From another machine: persona-relay check ${url}`
}

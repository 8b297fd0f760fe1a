/**
 * Checks what both services do about profiles that lost the table. Prints lines "NAME VALUE" for
 * test/e2e/systemd.test.ts. Arguments: a phase, the directory of the profiles, the log of personad-repair.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, renameSync, unlinkSync, watch, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { connect, type Client } from '../../src/ipc/client.ts'
import { resolvePaths } from '../../src/ipc/paths.ts'
import { withStatusMessage } from '../../src/tox/save/status-message.ts'
import { decodeSave, encodeSave, readStatusMessage } from '../../src/tox/save/savefile.ts'

const [phase = '', directory = '', handLog = ''] = process.argv.slice(2)
const PERSONA = fileURLToPath(new URL('../../src/launch/persona.js', import.meta.url))
const AWAY = 'Away from keyboard, be back soon!'
const at = (name: string): string => join(directory, name)

function shows(name: string): 'table' | 'away' | 'else' {
  const { text } = readStatusMessage(decodeSave(new Uint8Array(readFileSync(at(name)))))
  return text === AWAY ? 'away' : text.includes('persona:') ? 'table' : 'else'
}

/** Loses the table as toxic does when nobody looks at its terminal. */
function lose(name: string): void {
  const save = decodeSave(new Uint8Array(readFileSync(at(name))))
  writeFileSync(at(`${name}.new`), encodeSave(withStatusMessage(save, AWAY)), { mode: 0o600 })
  renameSync(at(`${name}.new`), at(name))
}

function persona(...args: string[]): void {
  const { status, stderr } = spawnSync(process.execPath, [PERSONA, ...args], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`persona ${args.join(' ')}: ${stderr}`)
}

/** Resolves with the next event of this name about this profile. */
async function nextEvent(
  client: Client,
  event: 'profile.blob-lost' | 'profile.repaired',
  name: string,
): Promise<unknown> {
  return await new Promise((done) => {
    void client.subscribe([event], (happened) => {
      if (happened.event === event && happened.data.path === at(name)) done(happened.data)
    })
  })
}

/** Resolves once the log of personad-repair contains this text. */
async function repairLogged(text: string): Promise<void> {
  const says = (): boolean => readFileSync(handLog, 'utf8').includes(text)
  await new Promise<void>((done) => {
    const watcher = watch(dirname(handLog), () => {
      if (!says()) return
      watcher.close()
      done()
    })
    if (says()) {
      watcher.close()
      done()
    }
  })
}

/**
 * Starts a process with the name and arguments of toxic on a profile; with null, a process of another name and no
 * profile.
 */
async function clientOn(name: string | null): Promise<ChildProcess> {
  const args = name === null ? [] : ['--', '-f', at(name)]
  const child = spawn(process.execPath, ['-e', 'console.log("up"); setInterval(() => {}, 1e6)', ...args], {
    argv0: name === null ? 'node' : 'toxic',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  return child
}

async function repairAfter(client: Client, name: string, end: () => void): Promise<string> {
  const lost = nextEvent(client, 'profile.blob-lost', name)
  lose(name)
  await lost
  await repairLogged(`cannot write your table to ${at(name)} yet`)
  const before = shows(name)
  const repaired = nextEvent(client, 'profile.repaired', name)
  end()
  await repaired
  return `${before} ${shows(name)}`
}

const client = await connect({ socketPath: resolvePaths({ env: process.env }).adminSocket })
if (phase === 'alone') {
  for (const name of ['laptop', 'phone', 'tablet']) {
    persona('tox', 'new', at(`${name}.tox`), '--name', 'Me')
    if (name === 'laptop') persona('init', '--device', name, '--tox-profile', at('laptop.tox'))
    else persona('device', 'add', name, '--tox-profile', at(`${name}.tox`))
  }
  for (const name of ['laptop', 'phone', 'tablet']) persona('tox', 'publish', at(`${name}.tox`))
  const lost = nextEvent(client, 'profile.blob-lost', 'laptop.tox')
  lose('laptop.tox')
  await lost
  const { profiles } = await client.call('profile.list')
  const why = profiles.find(({ path }) => path === at('laptop.tox'))?.repair
  console.log(`repair-alone ${shows('laptop.tox')} ${why}`)
}
if (phase === 'hand') {
  const first = nextEvent(client, 'profile.repaired', 'laptop.tox')
  console.log('ready')
  await first
  console.log(`repair-hand ${shows('laptop.tox')}`)
  const qtox = await clientOn(null)
  writeFileSync(at('phone.lock'), `${qtox.pid}\n${basename(process.execPath)}\n${hostname()}\n`)
  console.log(`repair-lock ${await repairAfter(client, 'phone.tox', () => unlinkSync(at('phone.lock')))}`)
  qtox.kill('SIGKILL')
  const toxic = await clientOn('tablet.tox')
  console.log(`repair-process ${await repairAfter(client, 'tablet.tox', () => toxic.kill('SIGKILL'))}`)
}
await client.close()

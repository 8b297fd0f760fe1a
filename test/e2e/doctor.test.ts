import {
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { formatHex } from '../../src/core/encoding/bytes.ts'
import type { Diagnosis, Finding } from '../../src/ipc/shapes/doctor.ts'
import { Home } from '../support/persona.ts'
import { publicKeyOf } from '../support/tox-people.ts'

let home: Home
beforeEach(() => {
  home = new Home()
})

async function examine(): Promise<{ status: number | null; findings: Finding[] }> {
  const { status, stdout } = await home.run(['doctor', '--json'])
  return { status, findings: (JSON.parse(stdout) as Diagnosis).findings }
}

function codes(findings: readonly Finding[], severity: Finding['severity']): string[] {
  return findings.filter((finding) => finding.severity === severity).map(({ code }) => code)
}

test('without a daemon, doctor reports that and checks the files, but creates and opens nothing', async () => {
  const { status, findings } = await examine()
  expect(status).toBe(1)
  expect(codes(findings, 'problem')).toEqual(['DAEMON_STOPPED'])
  expect(codes(findings, 'ok')).toEqual(expect.arrayContaining(['NODE', 'LIBTOXCORE', 'CONFIG']))
  expect(existsSync(join(home.directory, 'state'))).toBe(false)
})

test('with a daemon, doctor adds its findings, and each problem has a hint', async () => {
  await home.start()
  const before = await examine()
  expect([before.status, codes(before.findings, 'problem')]).toEqual([0, []])
  expect(codes(before.findings, 'notice')).toContain('NO_PERSONA')
  await home.done(['init', '--device', 'laptop', '--key', formatHex(publicKeyOf(1))])
  const { status, findings } = await examine()
  expect([status, codes(findings, 'problem')]).toEqual([1, ['RECOVERY_UNCONFIRMED']])
  expect(codes(findings, 'notice')).toContain('DEVICE_UNSEEN')
  expect(findings.filter(({ severity, hint }) => severity === 'problem' && hint === null)).toEqual([])
  const people = await home.run(['doctor'])
  expect(people.stdout).toContain('PROBLEM  theft protection is off')
  expect(people.stdout).toContain('-> write down the recovery words and confirm them: persona recovery show')
  expect(people.stdout).toMatch(/\n1 problem\n$/)
})

test('a table that rekey or publish has just written counts as shown', async () => {
  await home.start()
  const at = (name: string): string => join(home.directory, name)
  await home.done(['tox', 'new', at('laptop.tox'), '--name', 'Alice'])
  await home.done(['init', '--device', 'laptop', '--tox-profile', at('laptop.tox')])
  await home.done(['tox', 'rekey', at('laptop.tox'), at('phone.tox'), '--device', 'phone'])
  const unseen = async (): Promise<string[]> =>
    (await examine()).findings.filter(({ code }) => code === 'DEVICE_UNSEEN').map(({ message }) => message)
  expect(await unseen()).toEqual([expect.stringContaining('laptop')])
  await home.done(['tox', 'publish', at('laptop.tox')])
  expect(await unseen()).toEqual([])
})

test('a state directory opened to others after the start is a problem', async () => {
  await home.start()
  chmodSync(join(home.directory, 'state'), 0o755)
  const { status, findings } = await examine()
  expect([status, codes(findings, 'problem')]).toEqual([1, ['STATE_DIR_OPEN']])
})

test('a damaged store of a stopped daemon is named, with what is lost', async () => {
  await home.start()
  await home.done(['init', '--device', 'laptop', '--key', formatHex(publicKeyOf(1))])
  await home.stop()
  expect(codes((await examine()).findings, 'ok')).toContain('STORE')
  const store = join(home.directory, 'state', 'store')
  const log = join(
    store,
    readdirSync(store).find((name) => name.endsWith('.log'))!,
  )
  const bytes = readFileSync(log)
  bytes[100]! ^= 1
  writeFileSync(log, bytes)
  const { findings } = await examine()
  expect(codes(findings, 'problem')).toEqual(['DAEMON_STOPPED', 'STORE_CORRUPT'])
  expect(findings.find(({ code }) => code === 'STORE_CORRUPT')).toMatchObject({
    message: expect.stringMatching(/\.log is damaged at byte \d+: .*; lost: the commits after/),
    about: { path: log },
  })
})

test('what keeps a stopped daemon from starting is named: a link, files open to others, missing secrets', async () => {
  await home.start()
  await home.done(['init', '--device', 'laptop', '--key', formatHex(publicKeyOf(1))])
  await home.stop()
  const [store, elsewhere] = ['state/store', 'store'].map((name) => join(home.directory, name)) as [string, string]
  const secrets = join(home.directory, 'state/secrets')
  const refusal = async (): Promise<unknown> => {
    const { findings } = await examine()
    return findings.filter(({ severity, code }) => severity === 'problem' && code !== 'DAEMON_STOPPED')
  }
  expect(await refusal()).toEqual([])
  renameSync(store, elsewhere)
  symlinkSync(elsewhere, store)
  expect(await refusal()).toMatchObject([
    {
      code: 'STATE_DIR_SYMLINK',
      message: expect.stringContaining(`the daemon will not start: ${store} is a symbolic`),
    },
  ])
  rmSync(store)
  renameSync(elsewhere, store)
  chmodSync(store, 0o777)
  expect(await refusal()).toMatchObject([{ code: 'STATE_DIR_OPEN_TO_OTHERS' }])
  chmodSync(store, 0o700)
  renameSync(secrets, elsewhere)
  expect(await refusal()).toMatchObject([
    { code: 'SECRETS_MISSING', message: expect.stringContaining(`${secrets} is missing; lost: the signing key`) },
  ])
  renameSync(elsewhere, secrets)
  expect(await refusal()).toEqual([])
})

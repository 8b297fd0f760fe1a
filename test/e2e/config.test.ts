import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { Home } from '../support/persona.ts'

let home: Home
let file: string
beforeEach(() => {
  home = new Home()
  file = join(home.directory, 'config/personad.yaml')
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
})

function put(text: string): void {
  writeFileSync(file, text, { mode: 0o600 })
  chmodSync(file, 0o600)
}

describe('persona config, without a daemon', () => {
  test('set writes only what the daemon would accept, and keeps comments', async () => {
    put('# mine\nlog:\n  level: warn # quiet\n')
    expect(await home.failure(['config', 'set', 'log.level', 'loud'])).toBe('1 CONFIG_INVALID')
    expect(await home.failure(['config', 'set', 'log.volume', '3'])).toBe('1 CONFIG_INVALID')
    expect(readFileSync(file, 'utf8')).toBe('# mine\nlog:\n  level: warn # quiet\n')
    await home.done(['config', 'set', 'watch.repair', 'true'])
    await home.done(['config', 'set', 'log.level', 'debug'])
    expect(readFileSync(file, 'utf8')).toBe('# mine\nlog:\n  level: debug # quiet\nwatch:\n  repair: true\n')
    expect(await home.json(['config', 'get', 'watch.repair'])).toEqual({ key: 'watch.repair', value: true })
    expect(await home.json(['config', 'get', 'log.format'])).toEqual({ key: 'log.format', value: null })
    expect(readdirSync(dirname(file))).toEqual(['personad.yaml'])
  })

  test('set begins a file that is missing', async () => {
    await home.done(['config', 'set', 'log.level', 'warn'])
    expect(readFileSync(file, 'utf8')).toBe('log:\n  level: warn\n')
    expect(await home.done(['config', 'check'])).toContain('is good')
  })

  test('set names a reload only for a key that a reload applies', async () => {
    expect(await home.done(['config', 'set', 'log.level', 'debug'])).toContain('systemctl --user reload personad')
    for (const [key, value] of [
      ['net.bootstrap', '[192.0.2.1:6881]'],
      ['engine', 'portable'],
    ] as const)
      expect(await home.done(['config', 'set', key, value]), key).toContain('systemctl --user restart personad')
  })

  test('check and doctor name the fault of the file that is on disk', async () => {
    expect(existsSync(file)).toBe(false)
    expect(await home.done(['config', 'check'])).toContain('the defaults apply')
    put('log:\n  level: loud\n')
    const { status, stdout } = await home.run(['config', 'check'])
    expect([status, stdout]).toEqual([1, expect.stringContaining('(CONFIG_VALUE)')])
    expect(stdout).toContain(file)
    const doctor = await home.run(['doctor'])
    expect(doctor.stdout).toMatch(/PROBLEM {2}the daemon will not start again: .*CONFIG_VALUE/)
  })
})

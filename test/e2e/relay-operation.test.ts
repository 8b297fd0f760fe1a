/** The parts of docs/operating-a-relay.md that other programs carry out: Caddy in front of a relay, and the firewall. */
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { launcherOf } from '../support/programs.ts'
import { tempDir } from '../support/temp-dir.ts'

const has = (program: string, ...args: readonly string[]): boolean => spawnSync(program, args).status === 0
const CAN_SEPARATE = has('unshare', '--net', '--pid', '--fork', '--mount-proc', 'true') && has('ip', '-V')
const HAS_CADDY = CAN_SEPARATE && has('caddy', 'version') && has('openssl', 'version')
const NO_CADDY = HAS_CADDY ? '' : ' (skipped: needs root, caddy and openssl)'
const HAS_NFT = CAN_SEPARATE && has('nft', '--version') && has('/usr/bin/python3', '--version')
const NO_NFT = HAS_NFT ? '' : ' (skipped: needs root, nft and python3)'

const script = (name: string): string => join(import.meta.dirname, '../support', name)

test.skipIf(NO_CADDY !== '')(
  `a relay as init sets it up works through Caddy, streams too${NO_CADDY}`,
  () => {
    const args = [
      '--net',
      'sh',
      script('relay-behind-caddy.sh'),
      process.execPath,
      launcherOf('persona-relay'),
      tempDir(),
    ]
    const { status, stdout, stderr } = spawnSync('unshare', args, { encoding: 'utf8' })
    const lines = stdout.split('\n').filter((line) => /^(ok|FAIL) /.test(line))
    expect(lines.filter((line) => line.startsWith('FAIL'))).toEqual([])
    expect([status, lines.length], stdout + stderr).toEqual([0, 11])
    expect(stdout).toContain('everything works')
  },
  90_000,
)

test.skipIf(NO_NFT !== '')(
  `the firewall lets SSH and the proxy in, nobody to the relay itself, and slows down a flood${NO_NFT}`,
  () => {
    const page = readFileSync('docs/operating-a-relay.md', 'utf8')
    const [, rules] = /^```\n(table inet relay \{\n[^]*?\n\})\n```$/m.exec(page) ?? []
    const file = join(tempDir(), 'rules')
    writeFileSync(file, `${rules}\n`)
    const args = ['--net', '--pid', '--fork', '--kill-child', '--mount-proc', 'sh', script('relay-firewall.sh'), file]
    const { status, stdout, stderr } = spawnSync('unshare', args, { encoding: 'utf8', timeout: 80_000 })
    expect([status, stdout.trim().split('\n')], stderr).toEqual([
      0,
      [
        '22 open',
        '80 open',
        '443 open',
        '8787 closed',
        '8787 open to this machine',
        'a flood of 10.9.0.1 is slowed down',
        'a flood of fd09::1 is slowed down',
        // The network, and not the two addresses in it.
        'counted: fd09::',
      ],
    ])
  },
  90_000,
)

import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { forbidCoreDumps, type CoreLibc } from '../../../src/process/core-dumps.ts'
import type { Log } from '../../../src/process/log.ts'

const MODULE = join(import.meta.dirname, '../../../src/process/core-dumps.ts')
const NOTICE = [expect.stringContaining('ulimit -c 0')]

function limits(soft: string): string {
  return `Limit                     Soft Limit           Hard Limit           Units     \nMax core file size        ${soft.padEnd(20)} unlimited            bytes     \n`
}

async function forbid(libc: CoreLibc | null, text: string | null): Promise<{ notices: string[]; logged: string[] }> {
  const logged: string[] = []
  const write = (event: string): void => void logged.push(event)
  const log: Log = { error: write, warn: write, info: write, debug: write, setLevel: () => undefined }
  const notices = await forbidCoreDumps({
    log,
    loadLibc: () => (libc === null ? Promise.reject(new Error('no koffi')) : Promise.resolve(libc)),
    readLimits: () => Promise.resolve(text),
  })
  return { notices, logged }
}

describe('core dumps', () => {
  it.runIf(process.platform === 'linux')('are forbidden by the limit and by the kernel in a real process', () => {
    const script = `
      import koffi from 'koffi'
      import { readFileSync } from 'node:fs'
      import { forbidCoreDumps } from ${JSON.stringify(MODULE)}
      const prctl = koffi.load(null).func('int prctl(int, unsigned long, unsigned long, unsigned long, unsigned long)')
      const state = () => [prctl(3, 0, 0, 0, 0), /core file size +0 +0 /.test(readFileSync('/proc/self/limits', 'utf8'))]
      const before = state()
      const log = { error: console.error, warn: console.error, info() {}, debug: console.error, setLevel() {} }
      const notices = await forbidCoreDumps({ log })
      console.log(JSON.stringify({ before, notices, after: state() }))`
    const out = execFileSync(
      'sh',
      ['-c', 'ulimit -S -c 1024 2>/dev/null; exec "$@"', 'sh', process.execPath, '--input-type=module', '-e', script],
      {
        cwd: import.meta.dirname,
        encoding: 'utf8',
      },
    )
    const { before, notices, after } = JSON.parse(out) as { before: unknown[]; notices: string[]; after: unknown[] }
    expect(before[0]).toBe(1)
    expect(notices).toStrictEqual([])
    expect(after).toStrictEqual([0, true])
  })

  it.each([
    ['both calls work', 0, 0, [], []],
    ['the sandbox refuses the limit', -1, 0, [], []],
    ['the system knows only the limit', 0, -1, [], []],
    ['both are refused', -1, -1, NOTICE, ['core.refused']],
  ])('when %s cause a notice only if one may be written', async (_, limit, hide, notices, logged) => {
    const libc = { limitCore: (): number => limit, hide: (): number => hide }
    expect(await forbid(libc, limits('unlimited'))).toStrictEqual({ notices, logged })
  })

  it.each([
    ['0', []],
    ['1024', NOTICE],
    ['unlimited', NOTICE],
    [null, NOTICE],
  ])('without koffi and with a soft limit of %s cause a notice only if one may be written', async (soft, notices) => {
    const found = await forbid(null, soft === null ? null : limits(soft))
    expect(found).toStrictEqual({ notices, logged: ['core.koffi'] })
  })
})

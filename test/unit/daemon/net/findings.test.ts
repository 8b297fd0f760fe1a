import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { openAccess, type NetAccess } from '../../../../src/daemon/net/access.ts'
import { NET_SECTION, type NetConfig } from '../../../../src/daemon/net/config.ts'
import { rtcFindings } from '../../../../src/daemon/net/findings.ts'
import { parseSections } from '../../../../src/process/config-file.ts'
import { RtcError } from '../../../../src/rtcnode/errors.ts'
import { isLibraryInstalled } from '../../../../src/rtcnode/installed.ts'
import { silentLog } from '../../../support/silent-log.ts'
import { tempDir } from '../../../support/temp-dir.ts'

const DIRECT = { direct: true, proxy: null }
const PROXY = { host: '127.0.0.1', port: 9050 }

async function accessWith(lines: string, env: Record<string, string> = {}): Promise<NetAccess> {
  const config = parseSections(`net:\n${lines}`, 'x', [NET_SECTION])['net'] as NetConfig
  const access = await openAccess({ config, log: silentLog, verify: () => false, env })
  onTestFinished(() => access.close())
  return access
}

const codesOf = (access: NetAccess): string[] => access.findings().map(({ code }) => code)

test.each([
  ['is silent while the direct way is not allowed', { ...DIRECT, direct: false }, null, true, []],
  ['finds nothing wrong before it is used', DIRECT, null, true, ['ok DIRECT']],
  ['says that a proxy turns it off', { ...DIRECT, proxy: PROXY }, null, true, ['notice DIRECT_PROXY']],
  ['says that node-datachannel is not installed', DIRECT, null, false, ['problem DIRECT_LIBRARY']],
  ['says why personad-rtc ended', DIRECT, new RtcError('RTC_FAILED', 'it hung'), true, ['problem DIRECT_ENDED']],
  [
    'names a missing unit',
    DIRECT,
    new RtcError('RTC_UNIT_MISSING', 'nothing listens'),
    true,
    ['problem DIRECT_UNIT_MISSING'],
  ],
])('doctor %s', (_title, config, why, isInstalled, expected) => {
  const findings = rtcFindings(config, why, isInstalled)
  expect(findings.map(({ severity, code }) => `${severity} ${code}`)).toEqual(expected)
  if (why !== null) expect(findings[0]?.message).toContain(why.message)
})

test('a daemon whose configuration has a proxy makes no connection', async () => {
  const access = await accessWith('  direct: true\n  proxy: socks5://127.0.0.1:9050')
  expect(await access.rtc()).toBeNull()
  expect(codesOf(access)).toEqual(['DIRECT_PROXY'])
})

test('a daemon that is a service reports the missing unit once a channel needs personad-rtc', async () => {
  const access = await accessWith('  direct: true', { PERSONAD_RTC_SOCKET: join(tempDir(), 'rtc.sock') })
  expect(codesOf(access)).not.toContain('DIRECT_UNIT_MISSING')
  const rtc = (await access.rtc())!
  const closed = Promise.withResolvers<void>()
  const ignore = (): void => {}
  rtc.connect(null, { described: ignore, connected: ignore, message: ignore, closed: closed.resolve })
  await closed.promise
  expect(rtc.problem?.code).toBe('RTC_UNIT_MISSING')
  // Without the library, no unit would help.
  expect(codesOf(access)).toEqual([isLibraryInstalled() ? 'DIRECT_UNIT_MISSING' : 'DIRECT_LIBRARY'])
})

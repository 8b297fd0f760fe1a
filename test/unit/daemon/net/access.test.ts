import { expect, test } from 'vitest'
import { openAccess } from '../../../../src/daemon/net/access.ts'
import { NET_SECTION, type NetConfig } from '../../../../src/daemon/net/config.ts'
import type { Finding } from '../../../../src/ipc/shapes/doctor.ts'
import { silentLog } from '../../../support/silent-log.ts'
import { parseSections } from '../../../../src/process/config-file.ts'

async function findings(entries: string): Promise<Finding[]> {
  const config = parseSections(`net:\n  private: ${entries}\n`, 'x', [NET_SECTION])['net'] as NetConfig
  return (await openAccess({ config, log: silentLog, verify: () => false, env: {} })).findings()
}

test('doctor asks for the ports of private hosts that the configuration names without one', async () => {
  expect(await findings('["127.0.0.1:8787", "[::1]:8787"]')).toEqual([])
  expect(await findings('["::1", "127.0.0.1:8787", nas]')).toEqual([
    {
      code: 'NET_PRIVATE',
      severity: 'notice',
      message:
        'net.private names ::1, nas without a port: whoever makes an invite can have calls go to any port above 1023 there',
      hint: 'add the port of the relay to each, such as "[::1]:8787"',
    },
  ])
})

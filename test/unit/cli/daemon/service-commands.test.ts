import { test } from 'vitest'
import { formatServiceStatus } from '../../../../src/cli/daemon/service-commands.ts'
import { expectEscaped, HOSTILE } from '../../../support/views.ts'

test('what the service manager answers cannot reach the terminal unescaped', () => {
  const unit = { unitPath: HOSTILE, unit: 'ours', activeState: HOSTILE, unitFileState: HOSTILE, mainPid: 1 } as const
  expectEscaped(
    formatServiceStatus({ ...unit, statusText: HOSTILE, repair: unit, net: unit, rtc: unit, isLingering: false }),
  )
})

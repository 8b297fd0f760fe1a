/** The boxes into which several processes send while faults happen. */
import { HOUR, LIMITS } from '../relay-stores.ts'
import type { StoreLimits } from '../../../src/relayd/store/rules.ts'

/** Few, so that the processes meet in each of them. */
export const FAULT_BOXES: readonly string[] = Array.from({ length: 16 }, (_, n) => `box-${n}`)

export const FAULT_LIMITS: StoreLimits = {
  ...LIMITS,
  maxMessages: 300,
  maxUnchecked: 300,
  maxUncheckedBoxes: 1000,
  maxBytes: 1 << 20,
  messageUs: 24 * HOUR,
  maxDiskBytes: 2 ** 40,
}

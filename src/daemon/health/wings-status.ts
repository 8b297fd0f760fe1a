/** The part of all wings in `status`. */
import type { WingsStatus } from '../../ipc/methods/status.ts'
import type { Finding } from '../../ipc/shapes/doctor.ts'
import type { About } from './status.ts'
import type { OpenWing } from '../wing/wing.ts'

/** @param around findings of the parts beside the wings */
export function statusOf(open: readonly OpenWing[], around: readonly Finding[]): WingsStatus & Pick<About, 'findings'> {
  const parts = open.map((wing) => wing.status?.() ?? { part: {} })
  const severe = around.filter(({ severity }) => severity !== 'ok')
  const findings = [...severe, ...parts.flatMap((status) => status.findings ?? [])]
  return { ...(Object.assign({}, ...parts.map(({ part }) => part)) as WingsStatus), findings }
}

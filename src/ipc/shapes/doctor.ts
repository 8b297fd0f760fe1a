/** The findings of `doctor` on the socket (docs/ipc.md, section 3, Finding). */
import { z } from 'zod'

export type Severity = 'ok' | 'notice' | 'problem'

/** The result of one check. */
export interface Finding {
  /** Stable; the only thing to branch on. */
  code: string
  /** `problem`: something does not work, or is in danger; `notice`: worth knowing. */
  severity: Severity
  message: string
  /** What to do about it; null if nothing needs doing. */
  hint: string | null
}

export interface Diagnosis {
  findings: Finding[]
}

export const diagnosis: z.ZodType<Diagnosis> = z.strictObject({
  findings: z.array(
    z.strictObject({
      code: z.string(),
      severity: z.enum(['ok', 'notice', 'problem']),
      message: z.string(),
      hint: z.string().nullable(),
    }),
  ),
})

export function ok(code: string, message: string): Finding {
  return { code, severity: 'ok', message, hint: null }
}

export function notice(code: string, message: string, hint: string | null): Finding {
  return { code, severity: 'notice', message, hint }
}

export function problem(code: string, message: string, hint: string): Finding {
  return { code, severity: 'problem', message, hint }
}

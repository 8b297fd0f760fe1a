/** What `doctor` finds, as it travels over the socket (docs/ipc.md, section 4, finding). */
import { z } from 'zod'

export type Severity = 'ok' | 'notice' | 'problem'

/** One thing that was looked at. */
export interface Finding {
  /** Stable; the only thing to branch on. */
  code: string
  /** `problem`: something does not work, or is in danger; `notice`: worth knowing. */
  severity: Severity
  message: string
  /** What to do about it; null where nothing is to be done. */
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

/** The findings of `doctor` on the socket (docs/ipc.md, section 3, Finding). */
import * as z from '../../schema/zod.ts'

export type Severity = 'ok' | 'notice' | 'problem'

/** The result of one check. */
export interface Finding {
  /** Stable; the only thing to branch on. */
  code: string
  /** `problem`: something does not work, or is in danger; `notice`: worth knowing. */
  severity: Severity
  message: string
  /** Advice without a command: each client adds its own by the code. null if nothing needs doing. */
  hint: string | null
  /** The subject of the finding, for the command that a client adds: a path, the name of a device, the id of an alarm, the numbers of a table. */
  about?: Record<string, string> | undefined
}

export interface Diagnosis {
  findings: Finding[]
}

export const finding: z.ZodType<Finding> = z.strictObject({
  code: z.string(),
  severity: z.enum(['ok', 'notice', 'problem']),
  message: z.string(),
  hint: z.string().nullable(),
  about: z.record(z.string(), z.string()).optional(),
})

export const diagnosis: z.ZodType<Diagnosis> = z.strictObject({ findings: z.array(finding) })

/** The numbers of a table for `about`. People see them with -v. */
export function numbersOf({
  epoch,
  seq,
}: {
  readonly epoch: number | null
  readonly seq: number | null
}): Record<string, string> {
  return epoch === null || seq === null ? {} : { epoch: String(epoch), seq: String(seq) }
}

export function ok(code: string, message: string): Finding {
  return { code, severity: 'ok', message, hint: null }
}

export function notice(code: string, message: string, hint: string | null, about?: Record<string, string>): Finding {
  return { code, severity: 'notice', message, hint, ...(about === undefined ? {} : { about }) }
}

export function problem(code: string, message: string, hint: string, about?: Record<string, string>): Finding {
  return { code, severity: 'problem', message, hint, ...(about === undefined ? {} : { about }) }
}

/** The messages between this program and a child, checked on both sides: neither trusts the other to work correctly. */
import { PersonadError } from '../errors/personad-error.ts'
import { FrameError, type Framed, type FrameLimits } from './frame.ts'

export const BEAT_MS = 1000 // sanity: a fifteenth of the silence that counts as a hang

/** Checks a value of JSON. A schema of zod is one; a program that must stay small has its own, because zod takes 17 MB. */
export interface Schema<T> {
  safeParse(value: unknown): { readonly success: true; readonly data: T } | { readonly success: false }
}

/** The messages of one program. The schema of the reports includes those that every child makes (common-reports.ts). */
export interface Protocol<Order, Report> {
  readonly orders: Schema<Order>
  readonly reports: Schema<Report>
  readonly limits: FrameLimits
}

/** The reports that every child makes. */
export type CommonReport =
  /** The child has started. A program may add fields. */
  | { readonly type: 'ready' }
  /** The last message: the child ends now. */
  | { readonly type: 'failed'; readonly code: string; readonly message: string }
  /** Sent every {@link BEAT_MS}: the child is alive. */
  | { readonly type: 'beat' }

/** The report as one that every child makes; null if only this program makes it. */
export function commonReport(report: { readonly type: string }): CommonReport | null {
  const { type } = report
  // The schema of the program has checked the fields.
  return type === 'ready' || type === 'failed' || type === 'beat' ? (report as CommonReport) : null
}

export type ChildErrorCode =
  | 'CHILD_NOT_STARTED'
  | 'CHILD_ENDED' // it ended by itself
  | 'CHILD_GAVE_UP' // it reported why it ends
  | 'CHILD_SILENT'
  | 'CHILD_STALLED' // it lives, and does not do its work
  | 'CHILD_FLOODS'
  | 'CHILD_FRAME_TOO_LARGE'
  | 'CHILD_FRAME_INVALID' // not a message that we know

/** Why a child does not run, or why we no longer trust it. */
export class ChildError extends PersonadError<ChildErrorCode> {
  override readonly name = 'ChildError'
  /** The code that the child reported, if we know it. */
  readonly reported: string | null

  constructor(code: ChildErrorCode, message: string, options?: ErrorOptions, reported: string | null = null) {
    super(code, message, options)
    this.reported = reported
  }
}

/**
 * The problem of a child as an error of its program.
 * @param Class of the errors of the program
 * @param code where the child reported none, and the cause is no error of the program
 */
export function programError<Code extends string, E extends Error>(
  Class: new (code: Code, message: string, options?: ErrorOptions) => E,
  code: NoInfer<Code>,
  { message, reported, cause }: ChildError,
): E {
  if (reported !== null) return new Class(reported as Code, message)
  return cause instanceof Class ? cause : new Class(code, message, { cause })
}

/**
 * Checks the message of a frame.
 * @throws {FrameError} FRAME_INVALID
 */
export function checkFrame<T>(schema: Schema<T>, { message, body }: Framed<unknown>): Framed<T> {
  const result = schema.safeParse(message)
  // Do not quote the message: it may hold a text of somebody else.
  if (!result.success) throw new FrameError('FRAME_INVALID', 'a frame holds an unknown message')
  return { message: result.data, body }
}

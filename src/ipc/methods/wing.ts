/** The part of a wing that clients load: values and their schemas, and no code that runs in the daemon (docs/wings.md). */
import type * as z from '../../schema/zod.ts'
import type { Permission } from './method.ts'

/** @template S its keys in the result of `status` */
export interface WingSchema<M = object, E = object, S = object> {
  /** Rows of the method table. */
  readonly methods: M
  readonly events: E
  readonly status: { readonly [Key in keyof S]: z.ZodType<S[Key]> }
  /** Capabilities beside those of the daemon itself, for rows that need one. The owner can grant them to apps. */
  readonly capabilities: readonly string[]
}

export interface EventSpec<D> {
  readonly data: z.ZodType<D>
  /** Whether the history keeps it: see BASE_EVENTS. */
  readonly isKept: boolean
  /** A subscriber needs it: `read`, unless the data is in no answer to a call that needs only `read`. */
  readonly permission: Permission
}

export function event<D>(kept: 'kept' | 'passing', data: z.ZodType<D>, permission: Permission = 'read'): EventSpec<D> {
  return { data, isKept: kept === 'kept', permission }
}

/** The parts of all wings as one: of a union, a type that is each of its members. */
export type All<Union> = (Union extends unknown ? (each: Union) => void : never) extends (all: infer Each) => void
  ? Each
  : never

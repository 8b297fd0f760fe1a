/** The schemas of all wings, as values and as a type. */
import type { WingSchema } from './wing.ts'
import * as wings from './wings.ts'

export type AnyWing = (typeof wings)[keyof typeof wings]

/** By name: tools differ in the order in which they list what a module exports. */
export const WING_SCHEMAS: readonly WingSchema[] = Object.entries<WingSchema>(wings)
  .toSorted(([a], [b]) => (a < b ? -1 : 1))
  .map(([, schema]) => schema)

/** The schema of the whole store: which records exist and how they hang together. */
import { StoreError } from './errors.ts'

/**
 * The schema that this version reads and writes. Whoever raises it writes the step from the one before, and lets it copy the state
 * directory (without `lock`, whose kernel lock ends when any descriptor of it is closed) before it changes the first byte.
 */
export const SCHEMA = 1

/** @throws {StoreError} STORE_SCHEMA_NEWER, before anything is changed */
export function checkSchema(schema: number, path: string): void {
  if (schema <= SCHEMA) return
  const message = `${path} was written by a later personad (schema ${schema}, this one knows ${SCHEMA}): install the later one; nothing was changed`
  throw new StoreError('STORE_SCHEMA_NEWER', message)
}

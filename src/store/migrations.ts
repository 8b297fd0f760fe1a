/** The schema of the whole store: which records exist and how they relate. */
import { StoreError } from './errors.ts'

/**
 * The schema that this version reads and writes. If you raise it, write the migration from the previous one. It must copy the state
 * directory before it changes the first byte, without `lock`: the kernel lock ends when any descriptor of it is closed.
 */
export const SCHEMA = 1

/** @throws {StoreError} STORE_SCHEMA_NEWER, before anything is changed */
export function checkSchema(schema: number, path: string): void {
  if (schema <= SCHEMA) return
  const message = `a newer personad wrote ${path} (schema ${schema}, this one reads ${SCHEMA}); install the newer one; nothing was changed`
  throw new StoreError('STORE_SCHEMA_NEWER', message)
}

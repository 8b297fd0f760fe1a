/** Checks the members of records that are JSON. */

export function checkCount(value: unknown): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw new Error('not a count')
  return value
}

export function checkText(value: unknown): string {
  if (typeof value !== 'string') throw new Error('not a text')
  return value
}

/** The body of `POST /wait`: the boxes that a client waits for. */
import type { Awaited } from '../boxes/box-service.ts'

const DECIMAL = /^\d{1,16}$/ // format: 2^53 has 16 digits

/** @returns null unless the value is `{boxes: [{pub, at}]}` with 1 to `maxBoxes` boxes, each only once */
export function parseWait(value: unknown, maxBoxes: number): Awaited[] | null {
  if (!isRecord(value) || !Array.isArray(value['boxes'])) return null
  const boxes: readonly unknown[] = value['boxes']
  if (boxes.length === 0 || boxes.length > maxBoxes) return null
  const awaited = boxes.map(parseBox)
  if (!awaited.every((box) => box !== null)) return null
  return new Set(awaited.map(({ pub }) => pub)).size === awaited.length ? awaited : null
}

function parseBox(value: unknown): Awaited | null {
  if (!isRecord(value) || typeof value['pub'] !== 'string') return null
  const at = parseAt(value['at'])
  return at === null ? null : { pub: value['pub'], at }
}

/** A moment as a number or as decimal text, as `check` takes it. */
function parseAt(value: unknown): number | null {
  const at = typeof value === 'string' && DECIMAL.test(value) ? Number(value) : value
  return typeof at === 'number' && Number.isSafeInteger(at) && at >= 0 ? at : null
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The rules of a box that need no store: when it ends, and whether a message has room in it. */
import type { BoxLimits } from '../../relay/limits.ts'
import type { Box } from './box.ts'

/** How exactly checks are noted. An app checks each minute, and a write for each would wear out a disk. */
export const CHECK_GRAIN_US: number = 3600 * 1_000_000

/** Bytes that a box takes on the disk without its messages, at most: its record, the moment to look at it again, and their keys. */
export const BOX_COST_BYTES = 320
/** Bytes that a message takes on the disk beside its data, at most: its key, and its line in the record of the box. */
export const MESSAGE_COST_BYTES = 160

export interface StoreLimits extends BoxLimits {
  /** Bytes that all boxes and messages may take together. */
  readonly maxDiskBytes: number
}

/** The moment at which a box ends, if nobody comes. */
export function endOf(box: Pick<Box, 'checkedUs' | 'sentUs'>, limits: BoxLimits): number {
  return box.checkedUs === 0 ? box.sentUs + limits.messageUs : box.checkedUs + limits.boxUs
}

/** The first moment at which something in a box has lived its time. */
export function dueOf(box: Box, limits: BoxLimits): number {
  return box.messages.reduce((due, { expiresUs }) => Math.min(due, expiresUs), endOf(box, limits))
}

/** Whether a message of so many bytes has room beside those that are there. @param box null for one that the message makes */
export function hasRoomFor(box: Box | null, bytes: number, limits: BoxLimits): boolean {
  const { messages, isRetired, checkedUs, retiredAtUs } = box ?? NO_BOX
  if (messages.reduce((sum, message) => sum + message.bytes, bytes) > limits.maxBytes) return false
  if (isRetired) return messages.filter(({ atUs }) => atUs > retiredAtUs).length < limits.maxRetired
  return messages.length < (checkedUs === 0 ? Math.min(limits.maxUnchecked, limits.maxMessages) : limits.maxMessages)
}

const NO_BOX = { messages: [], isRetired: false, checkedUs: 0, retiredAtUs: 0 }

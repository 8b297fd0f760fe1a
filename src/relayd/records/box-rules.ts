/** The rules of a box as a record: when something in it has lived its time, and whether a message has room. */
import type { BoxLimits } from '../../relay/limits.ts'
import { CHECK_GRAIN_US, endOf } from '../store/rules.ts'
import type { Box, KeptMessage } from './box.ts'

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

/** Whether a read by the owner has nothing to note in the box. */
export function isSettled({ maker, checkedUs, dueUs, lastAtUs, messages }: Box, atUs: number, nowUs: number): boolean {
  const first = messages[0]?.atUs ?? Infinity
  const isNoted = checkedUs !== 0 && nowUs - checkedUs < CHECK_GRAIN_US && atUs <= lastAtUs
  return maker === null && isNoted && dueUs > nowUs && first > atUs
}

/** Whether a read after `atUs` gives the message. */
export function isReadable(message: KeptMessage, atUs: number, nowUs: number): boolean {
  return message.atUs > atUs && message.expiresUs > nowUs
}

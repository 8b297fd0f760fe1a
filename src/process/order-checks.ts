/** Checks of orders by hand, for child programs that must stay small: zod would take 17 MB. A test compares each reader with the schema of the daemon. */
import type { Schema } from './protocol.ts'

export type Check = (value: unknown) => boolean
export type Fields = Readonly<Record<string, Check>>

export const text =
  (pattern: RegExp): Check =>
  (value) =>
    typeof value === 'string' && pattern.test(value)

export const whole =
  (min: number, max: number): Check =>
  (value) =>
    Number.isSafeInteger(value) && Number(value) >= min && Number(value) <= max

export const list =
  (check: Check, most: number): Check =>
  (value) =>
    Array.isArray(value) && value.length <= most && value.every(check)

/** An object with these keys and no others. */
export const partial =
  (fields: Fields): Check =>
  (value) =>
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.entries(value).every(([name, field]) => Object.hasOwn(fields, name) && fields[name]!(field))

/** An object with exactly these keys. */
export const object = (fields: Fields): Check => {
  const [isPart, count] = [partial(fields), Object.keys(fields).length]
  return (value) => isPart(value) && Object.keys(value as object).length === count
}

export const oneOf =
  (words: readonly string[]): Check =>
  (value) =>
    words.includes(value as string)

export const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value)

/** A message of one type. */
export const message = (type: string, fields: Fields = {}): Check => object({ type: oneOf([type]), ...fields })

/** The reader of a program that knows these messages. */
export function readerOf<Order>(checks: { readonly [type: string]: Check }): Schema<Order> {
  return {
    safeParse: (order) =>
      Object.values(checks).some((check) => check(order))
        ? { success: true, data: order as Order }
        : { success: false },
  }
}

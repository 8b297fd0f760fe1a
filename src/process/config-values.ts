/** Types of configuration values. Each error completes the sentence "... must be". */
import { homedir } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'
import * as z from '../schema/zod.ts'

/** A mapping with only these keys. An empty or missing mapping has the defaults. */
export function section<Shape extends z.ZodRawShape>(
  shape: Shape,
): z.ZodPreprocess<z.ZodObject<Shape, z.core.$strict>> {
  const mapping = z.strictObject(shape, { error: (issue) => (issue.code === 'invalid_type' ? 'a mapping' : undefined) })
  return z.preprocess((value) => value ?? {}, mapping)
}

/** Exactly one of these words. */
export function oneOf<const Values extends readonly [string, ...string[]]>(
  values: Values,
): z.ZodEnum<{ [V in Values[number]]: V }> {
  return z.enum(values, { error: `one of ${values.join(', ')}` })
}

/** A whole number from `min` to `max`, both included. */
export function wholeNumber(min: number, max: number): z.ZodInt {
  const error = `a whole number from ${min} to ${max}`
  return z.int({ error }).min(min, { error }).max(max, { error })
}

/** A list of any of these words, each at most once. */
export function setOf(values: readonly string[]): z.ZodType<string[]> {
  const error = `a list of any of ${values.join(', ')}, each at most once`
  return z
    .array(z.enum(values, { error: `one of ${values.join(', ')}` }), { error })
    .refine((items) => new Set(items).size === items.length, { error })
}

/** Absolute, or below ~. Relative paths make no sense: nobody chose the daemon's working directory. */
export function absolutePath(): z.ZodString {
  const error = 'a path that begins with / or ~/'
  return z.string({ error }).regex(/^(\/|~\/)[^\0]*$/, { error })
}

/** The absolute path that a value of {@link absolutePath} names. */
export function expandHome(path: string, env: Readonly<Record<string, string | undefined>>): string {
  const home = env['HOME'] !== undefined && isAbsolute(env['HOME']) ? env['HOME'] : homedir()
  return path.startsWith('~/') ? join(home, path.slice(2)) : resolve(path)
}

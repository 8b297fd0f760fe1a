import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import * as zod from 'zod'
import * as z from '../../../src/schema/zod.ts'

const SRC = resolve(import.meta.dirname, '../../../src')

/** All that sources call of zod and that makes no schema. */
const NO_SCHEMAS = ['safeParse']

/** The same schemas, made by the package or here. */
function schemasOf(make: typeof zod): Record<string, zod.ZodType> {
  const name = make
    .string()
    .min(1)
    .max(3)
    .regex(/^[a-z]+$/, 'must be letters')
  const member = make.strictObject({ name, age: make.int().min(0).exactOptional() })
  return {
    members: make.array(member).max(2),
    parts: make.strictObject({ a: make.boolean(), b: make.tuple([make.literal('x'), make.number()]) }),
    kinds: make.discriminatedUnion('kind', [
      make.strictObject({ kind: make.literal('a'), of: member.nullable() }),
      make.looseObject({ kind: make.literal('b') }),
    ]),
    words: make.record(make.string(), make.union([make.enum(['yes', 'no']), make.null()])),
    either: make.preprocess((value) => value ?? {}, make.object({ c: make.unknown().optional() })).catch({ c: 1 }),
    even: make
      .int()
      .refine((value) => value % 2 === 0, 'must be even')
      .transform(String)
      .default('none'),
    more: make.strictObject({ a: name }).extend({ b: name }),
  }
}

const VALUES: readonly unknown[] = [
  undefined,
  null,
  7,
  8,
  'abc',
  [{ name: 'kim' }],
  [{ name: 'kim', age: -1 }, { name: 'K' }, {}],
  { a: true, b: ['x', 1] },
  { a: true, b: ['y', 1], c: 2 },
  { kind: 'a', of: { name: 'kim', age: 3 } },
  { kind: 'a', of: null },
  { kind: 'b', more: 1 },
  { kind: 'c' },
  { one: 'yes', two: null },
  { one: 'maybe' },
  { a: 'x', b: 'y' },
]

test('a schema that is made at first use judges as one of the package does', () => {
  const [theirs, ours] = [schemasOf(zod), schemasOf(z as unknown as typeof zod)]
  const verdicts = (schema: zod.ZodType): unknown[] =>
    VALUES.map((value) => {
      const { success, data, error } = schema.safeParse(value)
      return success ? data : error.issues
    })
  expect(Object.keys(ours)).toEqual(Object.keys(theirs))
  for (const [name, schema] of Object.entries(theirs)) {
    expect(verdicts(ours[name]!), name).toEqual(verdicts(schema))
    expect(ours[name]!.toJSONSchema({ io: 'input' }), name).toEqual(schema.toJSONSchema({ io: 'input' }))
    expect(ours[name], name).toBeInstanceOf(zod.ZodType)
  }
})

test('a schema is made at its first use, with those in it, and once', () => {
  const made: string[] = []
  const shape = (name: string): Record<string, zod.ZodType> => ({
    get [name]() {
      made.push(name)
      return z.string()
    },
  })
  const inner = z.strictObject(shape('inner'))
  const outer = z.array(z.strictObject({ inner: inner.nullable() })).max(3)
  const other = z.strictObject(shape('other'))
  expect(made).toEqual([])
  for (let i = 0; i < 2; i++) expect(outer.safeParse([{ inner: null }]).success).toBe(true)
  expect(inner.safeParse({ inner: 'x' }).success).toBe(true)
  expect(made).toEqual(['inner'])
  expect(other.safeParse({ other: 'x' }).success).toBe(true)
  expect(made).toEqual(['inner', 'other'])
})

test('every kind of schema that the sources declare is made at first use', () => {
  const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
  const calls = files
    .map((file) => readFileSync(join(SRC, file), 'utf8'))
    .filter((text) => text.includes("schema/zod.ts'"))
    .flatMap((text) => [...text.matchAll(/\bz\.([a-z]\w*)\(/g)].map(([, name]) => name!))
  const kinds = [...new Set(calls)].filter((name) => !NO_SCHEMAS.includes(name))
  expect(kinds.length).toBeGreaterThan(10)
  const [theirs, ours] = [zod, z].map((module) => module as unknown as Record<string, unknown>)
  expect(kinds.filter((name) => ours![name] === theirs![name])).toEqual([])
})

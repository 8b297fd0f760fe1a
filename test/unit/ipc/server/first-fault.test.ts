import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { METHODS } from '../../../../src/ipc/methods/all-methods.ts'
import { firstFault } from '../../../../src/ipc/server/first-fault.ts'

describe('params', () => {
  test.each([
    ['a list without a greatest length', z.strictObject({ list: z.array(z.string()) })],
    ['an object with any members', z.looseObject({})],
    ['an object that ignores unknown members', z.object({})],
    ['a record', z.strictObject({ record: z.record(z.string(), z.string()) })],
    ['a list of such lists', z.array(z.array(z.string())).max(1)],
  ])('must not have %s', (_, schema) => {
    expect(() => firstFault(schema)).toThrow('params must not')
  })

  test('of every method have bounds, also in length of text', () => {
    for (const [name, { params }] of Object.entries(METHODS) as [string, { params: z.ZodType }][]) {
      expect(() => firstFault(params), name).not.toThrow()
      for (const text of textsOf(params.toJSONSchema())) expect(text, name).toSatisfy(isBounded)
    }
  })

  test('are read up to the first fault', () => {
    const look = firstFault(z.strictObject({ list: z.array(z.strictObject({ n: z.int() })).max(3) }))!
    const touched: number[] = []
    const item = (n: unknown, at: number): object => ({
      get n() {
        touched.push(at)
        return n
      },
    })
    expect(look({ list: [item(1, 0), item('x', 1), item('y', 2)] })).toMatchObject({ path: ['list', 1, 'n'] })
    expect(touched).not.toContain(2)
    expect(look({ list: [item(1, 0)], more: 1 })).toEqual({ path: [], message: 'Unrecognized key: "more"' })
    expect(look({ list: Array.from({ length: 4 }, item) })?.path).toEqual(['list'])
    expect(look({ list: [{ n: 1 }] })).toBeNull()
    expect(look('no object')).toBeNull()
  })
})

type Json = Readonly<Record<string, unknown>>

/** Every part of a JSON schema that is a free text. */
function textsOf(schema: Json): Json[] {
  const parts = [
    schema,
    ...Object.values((schema['properties'] as Record<string, Json> | undefined) ?? {}).flatMap(textsOf),
  ]
  const items = schema['items'] as Json | undefined
  const choices = (schema['anyOf'] as Json[] | undefined) ?? []
  return [...parts, ...(items === undefined ? [] : textsOf(items)), ...choices.flatMap(textsOf)].filter(
    (part) => part['type'] === 'string' && part['enum'] === undefined && part['const'] === undefined,
  )
}

function isBounded(text: Json): boolean {
  return text['maxLength'] !== undefined || /[^*+]\$$/.test((text['pattern'] as string | undefined) ?? '')
}

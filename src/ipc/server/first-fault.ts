/**
 * Finds the first fault of params that could be expensive. A schema of zod reads everything and collects each fault: half a million wrong
 * names in one frame took seconds and 550 MB. So every list and record that comes in has a bound, and this reader stops at the first fault.
 */
import * as z from '../../schema/zod.ts'

export interface Fault {
  readonly path: readonly PropertyKey[]
  readonly message: string
  /** The kind of a value that is too large or too small, such as `string`, and its bound. */
  readonly origin?: string
  readonly maximum?: number | bigint
  readonly minimum?: number | bigint
}

/** Looks at one value. null: the schema will find at most a few faults in it. */
export type Look = (value: unknown) => Fault | null

const MAX_KEY_CHARS = 64 // sanity: the caller chose the key

/** Schemas of values without parts. */
const SIMPLE: ReadonlySet<string> = new Set(['string', 'number', 'boolean', 'enum', 'literal', 'unknown'])

/**
 * Prepares the look at values of a schema.
 * @returns null if such a value has no parts, so that the schema itself stops at once
 * @throws {Error} for a list without a greatest length, an object that accepts unknown members, and any other kind of schema
 */
export function firstFault(schema: z.core.$ZodType): Look | null {
  const def = defOf(schema)
  if (def.type === 'object') return lookAtObject(def)
  if (def.type === 'array') return lookAtList(def)
  if (def.type === 'optional' || def.type === 'nullable') return firstFault(def.innerType)
  if (SIMPLE.has(def.type)) return null
  throw new Error(`params must not have a part of the kind "${def.type}": it has no bound`)
}

function defOf({ _zod: { def } }: z.core.$ZodType): z.core.$ZodTypes['_zod']['def'] {
  return def as z.core.$ZodTypes['_zod']['def']
}

function lookAtObject({ shape, catchall }: z.core.$ZodObjectDef): Look {
  if (catchall === undefined || defOf(catchall).type !== 'never')
    throw new Error('params must not accept unknown members')
  const members = new Map(Object.entries(shape).map(([name, member]) => [name, firstFault(member)]))
  return (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return null
    for (const [name, member] of Object.entries(value)) {
      const look = members.get(name)
      if (look === undefined) return { path: [], message: `Unrecognized key: "${name.slice(0, MAX_KEY_CHARS)}"` }
      const fault = look?.(member) ?? null
      if (fault !== null) return below(name, fault)
    }
    return null
  }
}

function lookAtList({ element, checks = [] }: z.core.$ZodArrayDef): Look {
  const most = checks.map(({ _zod: { def } }) => (isMaxLength(def) ? def.maximum : Infinity))
  const maxLength = Math.min(...most)
  if (maxLength === Infinity) throw new Error('params must not have a list without a greatest length')
  const look = firstFault(element)
  return (value) => {
    if (!Array.isArray(value)) return null
    if (value.length > maxLength) {
      const message = `Too big: expected array to have <=${maxLength} items`
      return { path: [], message, origin: 'array', maximum: maxLength }
    }
    for (const [at, item] of value.entries()) {
      const fault = look?.(item) ?? faultOf(element, item)
      if (fault !== null) return below(at, fault)
    }
    return null
  }
}

/** The first fault of a single value, as the schema words it. */
function faultOf(schema: z.core.$ZodType, value: unknown): Fault | null {
  const issue = z.safeParse(schema, value).error?.issues[0]
  return issue ?? null
}

function isMaxLength(def: z.core.$ZodCheckDef): def is z.core.$ZodCheckMaxLengthDef {
  return def.check === 'max_length'
}

function below(step: PropertyKey, fault: Fault): Fault {
  return { ...fault, path: [step, ...fault.path] }
}

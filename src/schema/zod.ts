/**
 * zod, with schemas that are made at first use. The daemon declares some 2000 schemas at its start, and needs few of them: nobody asks it for the
 * schema of a result. A schema here is a note of how to make it, until something looks into it.
 *
 * Import it in place of the package. Whoever tells schemas apart by identity asks the schema: `schema.toJSONSchema()`, `schema.register(...)`.
 */
import * as zod from 'zod'

export * from 'zod'

/** The methods of a schema that make another one. All others look into it. */
const DERIVE: ReadonlySet<PropertyKey> = new Set([
  'catch',
  'default',
  'exactOptional',
  'extend',
  'max',
  'min',
  'nullable',
  'optional',
  'refine',
  'regex',
  'transform',
])

const handlers = new WeakMap<object, Later>()

/** A schema that is not made yet, as the handler of the proxy that stands for it. */
class Later implements ProxyHandler<object> {
  #make: (() => object) | null
  #made: object | null = null

  constructor(make: () => object) {
    this.#make = make
  }

  made(): object {
    if (this.#make !== null) {
      this.#made = this.#make()
      this.#make = null
    }
    return this.#made!
  }

  get(_: object, name: PropertyKey): unknown {
    if (DERIVE.has(name))
      return (...args: unknown[]) => later(() => call(Reflect.get(this.made(), name) as Maker, this.made(), args))
    const made = this.made()
    const value: unknown = Reflect.get(made, name)
    return typeof value === 'function' ? (value as Maker).bind(made) : value
  }

  has(_: object, name: PropertyKey): boolean {
    return name in this.made()
  }

  getPrototypeOf(): object | null {
    return Object.getPrototypeOf(this.made()) as object | null
  }
}

type Maker = (...args: unknown[]) => object

function later(make: () => object): object {
  const handler = new Later(make)
  const schema = new Proxy({}, handler)
  handlers.set(schema, handler)
  return schema
}

function call(make: Maker, self: object | null, args: readonly unknown[]): object {
  return make.apply(self, args.map(real))
}

/** Schemas in place of notes: in a shape and in a list too, but no deeper, since zod takes none there. */
function real(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  const handler = handlers.get(value)
  if (handler !== undefined) return handler.made()
  if (Array.isArray(value)) return value.map(real)
  if (Object.getPrototypeOf(value) !== Object.prototype) return value
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, real(each)]))
}

function atFirstUse<F>(make: F): F {
  return ((...args: unknown[]) => later(() => call(make as Maker, null, args))) as F
}

export const array: typeof zod.array = atFirstUse(zod.array)
export const base64: typeof zod.base64 = atFirstUse(zod.base64)
export const boolean: typeof zod.boolean = atFirstUse(zod.boolean)
export const discriminatedUnion: typeof zod.discriminatedUnion = atFirstUse(zod.discriminatedUnion)
export const int: typeof zod.int = atFirstUse(zod.int)
export const literal: typeof zod.literal = atFirstUse(zod.literal)
export const looseObject: typeof zod.looseObject = atFirstUse(zod.looseObject)
export const number: typeof zod.number = atFirstUse(zod.number)
export const object: typeof zod.object = atFirstUse(zod.object)
export const preprocess: typeof zod.preprocess = atFirstUse(zod.preprocess)
export const record: typeof zod.record = atFirstUse(zod.record)
export const strictObject: typeof zod.strictObject = atFirstUse(zod.strictObject)
export const string: typeof zod.string = atFirstUse(zod.string)
export const tuple: typeof zod.tuple = atFirstUse(zod.tuple)
export const union: typeof zod.union = atFirstUse(zod.union)
export const unknown: typeof zod.unknown = atFirstUse(zod.unknown)
const enumOf: typeof zod.enum = atFirstUse(zod.enum)
const nothing: typeof zod.null = atFirstUse(zod.null)
export { enumOf as enum, nothing as null }

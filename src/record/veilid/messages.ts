/** The messages of veilid-server, as far as records need them. Fields that are not named here are left aside. */
import * as z from '../../schema/zod.ts'

const seq = z.int().min(0).max(0xffff_ffff)

const response = z.looseObject({
  type: z.literal('Response'),
  id: z.int().min(0),
  op: z.string(),
  rc_op: z.string().optional(),
  value: z.unknown().optional(),
  error: z.looseObject({ kind: z.string(), message: z.string().optional() }).optional(),
})
const update = z.looseObject({ type: z.literal('Update'), kind: z.string() })
const message = z.discriminatedUnion('type', [response, update])

/** One answer to a request. */
export interface VeilidResponse {
  readonly type: 'Response'
  readonly id: number
  readonly op: string
  readonly rc_op?: string | undefined
  readonly value?: unknown
  readonly error?: { readonly kind: string; readonly message?: string | undefined } | undefined
}

/** Something that the node tells all its clients. */
export interface VeilidUpdate {
  readonly type: 'Update'
  readonly kind: string
}

/** @returns null for a line that is no message */
export function parseMessage(line: string): VeilidResponse | VeilidUpdate | null {
  try {
    return message.parse(JSON.parse(line))
  } catch {
    return null
  }
}

export const versionForm: z.ZodType<{ readonly major: number; readonly minor: number; readonly patch: number }> =
  z.looseObject({ major: z.int().min(0), minor: z.int().min(0), patch: z.int().min(0) })

export const handleForm: z.ZodType<number> = z.int().min(1)

export interface Descriptor {
  readonly key: string
  readonly schema: { readonly kind: 'DFLT'; readonly o_cnt: number }
}

/** Records of other kinds are not ours. */
export const descriptorForm: z.ZodType<Descriptor> = z.looseObject({
  key: z.string(),
  schema: z.looseObject({ kind: z.literal('DFLT'), o_cnt: z.int().min(1) }),
})

export interface ValueData {
  readonly seq: number
  /** base64url */
  readonly data: string
}

export const valueDataForm: z.ZodType<ValueData | null> = z.looseObject({ seq, data: z.string() }).nullable()

export interface ValueChange {
  readonly key: string
  /** Inclusive ranges; none if the watch has ended. */
  readonly subkeys: readonly (readonly [number, number])[]
}

export const valueChangeForm: z.ZodType<ValueChange> = z.looseObject({
  kind: z.literal('ValueChange'),
  key: z.string(),
  subkeys: z.array(z.tuple([seq, seq])),
})

/** The texts of the JSON API of veilid-server 0.5: keys, records, schemas and errors. */
import * as z from 'zod'
import { formatBase64url, parseBase64url } from '../../../src/core/encoding/bytes.ts'

export const KIND = 'VLD0'
const KEY = '[A-Za-z0-9_-]{43}'

export const bytesForm: z.ZodType<Uint8Array, string> = z.string().transform((text, context) => {
  const bytes = parseBase64url(text)
  if (bytes !== null) return bytes
  context.addIssue('not base64url')
  return z.NEVER
})

/** `VLD0:<key>` or the key alone. */
export const publicKeyForm: z.ZodType<string, string> = z
  .string()
  .regex(new RegExp(`^(?:${KIND}:)?${KEY}$`))
  .transform((text) => text.replace(`${KIND}:`, ''))

export interface VeilidKeyPair {
  readonly key: string
  readonly secret: string
}

export const keyPairForm: z.ZodType<VeilidKeyPair, string> = z
  .string()
  .regex(new RegExp(`^(?:${KIND}:)?${KEY}:${KEY}$`))
  .transform((text) => {
    const [key, secret] = text.replace(`${KIND}:`, '').split(':') as [string, string]
    return { key, secret }
  })

export interface VeilidRecordKey {
  readonly opaque: string
  readonly encryptionKey: string | null
}

export const recordKeyForm: z.ZodType<VeilidRecordKey, string> = z
  .string()
  .regex(new RegExp(`^(?:${KIND}:)?${KEY}(?::${KEY})?$`))
  .transform((text) => {
    const [opaque, encryptionKey = null] = text.replace(`${KIND}:`, '').split(':') as [string, string?]
    return { opaque, encryptionKey }
  })

/** So many subkeys of the owner; and, for SMPL, so many of each member after them. */
export type VeilidSchema =
  | { readonly kind: 'DFLT'; readonly o_cnt: number }
  | {
      readonly kind: 'SMPL'
      readonly o_cnt: number
      readonly members: readonly { readonly m_key: string; readonly m_cnt: number }[]
    }

const ownerCount = z.int().min(0).max(1024)
const member = z.object({ m_key: z.string().regex(new RegExp(`^${KEY}$`)), m_cnt: z.int().min(1) })

export const schemaForm: z.ZodType<VeilidSchema> = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('DFLT'), o_cnt: ownerCount.min(1) }),
  z.object({ kind: z.literal('SMPL'), o_cnt: ownerCount, members: z.array(member).max(256) }),
])

/** Inclusive ranges. */
export type Ranges = [number, number][]
export const rangesForm: z.ZodType<Ranges> = z.array(z.tuple([z.int().min(0), z.int().min(0)]))

export const microseconds: z.ZodType<string> = z.string().regex(/^\d+$/)

export function formatKey(key: Uint8Array | string): string {
  return `${KIND}:${typeof key === 'string' ? key : formatBase64url(key)}`
}

export function formatKeyPair({ key, secret }: VeilidKeyPair): string {
  return `${KIND}:${key}:${secret}`
}

export function formatRecordKey({ opaque, encryptionKey }: VeilidRecordKey): string {
  return `${KIND}:${opaque}${encryptionKey === null ? '' : `:${encryptionKey}`}`
}

export function slotsOf(schema: VeilidSchema): number {
  return schema.o_cnt + (schema.kind === 'SMPL' ? schema.members.reduce((sum, { m_cnt }) => sum + m_cnt, 0) : 0)
}

/** The key that alone may write a subkey. */
export function writerOfSubkey(schema: VeilidSchema, owner: string, subkey: number): string {
  if (subkey < schema.o_cnt || schema.kind === 'DFLT') return owner
  let first = schema.o_cnt
  for (const { m_key, m_cnt } of schema.members) {
    if (subkey < first + m_cnt) return m_key
    first += m_cnt
  }
  return owner
}

/** An error as the API sends it. */
export class VeilidRefusal extends Error {
  override readonly name = 'VeilidRefusal'
  readonly fields: Readonly<Record<string, unknown>>

  constructor(kind: string, fields: Readonly<Record<string, unknown>> = {}) {
    super(kind)
    this.fields = { kind, ...fields }
  }
}

export const generic = (message: string): VeilidRefusal => new VeilidRefusal('Generic', { message })
export const tryAgain = (): VeilidRefusal => new VeilidRefusal('TryAgain', { message: 'offline, try again later' })
export const notFound = (opaque: string): VeilidRefusal => new VeilidRefusal('KeyNotFound', { key: formatKey(opaque) })

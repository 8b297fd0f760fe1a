/** A connection to a veilid-server whose version fits, with the routing context over which records travel. */
import type * as z from '../../schema/zod.ts'
import { RecordError } from '../errors.ts'
import { VeilidConnection, type Fields, type VeilidConnectionOptions } from './connection.ts'
import { handleForm, versionForm, type VeilidResponse } from './messages.ts'

const MIN_MINOR = 5 // format: 0.5 changed how keys are written, and its network is another one

/** The answer to a call: its value, or why veilid-server refused. */
export type Answer<Value> = { readonly value: Value } | { readonly refusal: Refusal }

export interface Refusal {
  /** As veilid-server calls it, such as `KeyNotFound`. */
  readonly kind: string
  readonly message: string
}

export class VeilidSession {
  readonly #connection: VeilidConnection
  readonly #contextId: number

  private constructor(connection: VeilidConnection, contextId: number) {
    this.#connection = connection
    this.#contextId = contextId
  }

  /** @throws {RecordError} RECORD_OLD_SERVER | RECORD_STRANGE | RECORD_AWAY */
  static async begin(options: VeilidConnectionOptions): Promise<VeilidSession> {
    const connection = new VeilidConnection(options)
    try {
      const { major, minor, patch } = valueOf(
        versionForm,
        await connection.call({ op: 'VeilidVersion' }),
        'VeilidVersion',
      )
      if (major === 0 && minor < MIN_MINOR)
        throw new RecordError(
          'RECORD_OLD_SERVER',
          `veilid-server is version ${major}.${minor}.${patch}, whose network and keys are older than ours`,
          `install veilid-server 0.${MIN_MINOR} or later`,
        )
      const context = await connection.call({ op: 'NewRoutingContext' })
      return new VeilidSession(connection, valueOf(handleForm, context.value, 'NewRoutingContext'))
    } catch (error) {
      connection.close()
      throw error
    }
  }

  get isOver(): boolean {
    return this.#connection.isOver
  }

  /**
   * Calls an operation of the routing context.
   * @throws {RecordError} RECORD_AWAY | RECORD_STRANGE
   */
  async call<Value>(op: string, parameters: Fields, form: z.ZodType<Value>): Promise<Answer<Value>> {
    const request = { op: 'RoutingContext', rc_id: this.#contextId, rc_op: op, ...parameters }
    const response = await this.#connection.call(request)
    if (response.error === undefined && response.rc_op !== op) throw strange(op)
    return answerOf(op, response, form)
  }

  /**
   * Calls an operation of the server itself.
   * @throws {RecordError} RECORD_AWAY | RECORD_STRANGE
   */
  async ask<Value>(op: string, parameters: Fields, form: z.ZodType<Value>): Promise<Answer<Value>> {
    return answerOf(op, await this.#connection.call({ op, ...parameters }), form)
  }

  close(): void {
    this.#connection.close()
  }
}

/** @throws {RecordError} RECORD_STRANGE */
function answerOf<Value>(op: string, { error, value }: VeilidResponse, form: z.ZodType<Value>): Answer<Value> {
  if (error === undefined) return { value: valueOf(form, value, op) }
  return { refusal: { kind: error.kind, message: error.message ?? '' } }
}

function valueOf<Value>(form: z.ZodType<Value>, value: unknown, op: string): Value {
  const read = form.safeParse(value)
  if (read.success) return read.data
  throw strange(op)
}

function strange(op: string): RecordError {
  return new RecordError(
    'RECORD_STRANGE',
    `veilid-server answered ${op} in a form that version 0.${MIN_MINOR} does not have`,
    'check that a veilid-server listens there, and its version',
  )
}

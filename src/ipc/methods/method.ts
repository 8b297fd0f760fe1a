/** The shape of the method table: name, permission, params, result (docs/ipc.md, section 3). table.ts holds the table. */
import type * as z from '../../schema/zod.ts'
import type { Capability } from '../shapes/capabilities.ts'

/**
 * `open`: every caller that reaches the socket, so that an app can identify itself. `admin`: only the owner. Else a capability: protocolOf
 * refuses any other word, since the compiler does not know the capabilities of all wings.
 */
export type Permission = Capability
/** The socket that the caller came through. Access to its directory gives the role. */
export type Role = 'app' | 'admin'

export interface MethodSpec<P, R> {
  readonly permission: Permission
  readonly params: z.ZodType<P>
  readonly result: z.ZodType<R>
  readonly summary: string
  /** The result may be nearly as large as a frame, so no other call of its connection runs beside it. */
  readonly isLarge?: boolean
  /** It also reads many records, so only a few such calls of all connections run at a time. */
  readonly isLong?: boolean
}

/** Any method table. Written `M extends MethodTable<M>`, so that an interface without an index signature fits. */
export type MethodTable<M> = { readonly [Name in keyof M]: MethodSpec<unknown, unknown> }

export type ParamsOf<Spec> = Spec extends MethodSpec<infer P, infer _R> ? P : never
export type ResultOf<Spec> = Spec extends MethodSpec<infer _P, infer R> ? R : never

/** The connection that calls. All calls of a connection have the same object, so a WeakMap can hold facts about it. */
export interface Caller {
  readonly id: number
  readonly role: Role
  /** false once the connection is over, or the server closes: nothing more can be sent. */
  readonly isOpen: boolean
  /**
   * Replaces the events that this connection receives from now on.
   * @param after number of the last event that the connection has, so that no event comes twice
   */
  subscribe(events: readonly string[], after?: number): void
  /**
   * Sends a past event, even if it is not subscribed to. Resolves once the client has read enough to receive another one.
   * @returns false when the connection is over
   */
  replay(message: { readonly event: string }): Promise<boolean>
  unsubscribe(): void
}

/** One handler for each method. A throw fails that call alone: the caller sees an RpcError as it is, anything else as INTERNAL. */
export type Handlers<M> = {
  readonly [Name in keyof M]: (
    params: ParamsOf<M[Name]>,
    caller: Caller,
  ) => ResultOf<M[Name]> | Promise<ResultOf<M[Name]>>
}

/** The shape of the method table: name, permission, params, result (docs/ipc.md, section 3). The table itself is in methods.ts. */
import type { z } from 'zod'

/** `open`: whoever can reach the socket, to say who he is. */
export type Permission = 'open' | 'read' | 'observe' | 'publish' | 'admin'
/** Which socket a caller came through: who may open its directory has the role. */
export type Role = 'app' | 'admin'

export interface MethodSpec<P, R> {
  readonly permission: Permission
  readonly params: z.ZodType<P>
  readonly result: z.ZodType<R>
  readonly summary: string
  /** Its result may come near to a frame: while it runs, no further call of its connection is taken. */
  readonly isLarge?: boolean
}

/** Any method table: `M extends MethodTable<M>`, so that an interface without an index signature is one too. */
export type MethodTable<M> = { readonly [Name in keyof M]: MethodSpec<unknown, unknown> }

export type ParamsOf<Spec> = Spec extends MethodSpec<infer P, infer _R> ? P : never
export type ResultOf<Spec> = Spec extends MethodSpec<infer _P, infer R> ? R : never

/** Who calls: one connection. It is the same object for all calls of a connection, so that a WeakMap can hang facts on it. */
export interface Caller {
  readonly id: number
  readonly role: Role
  /**
   * The events this connection receives from now on, instead of those before.
   * @param after number of the last event that it was sent already, so that none comes twice
   */
  subscribe(events: readonly string[], after?: number): void
  /**
   * Sends an event of the past, whatever is subscribed to. Resolves once the client has taken enough for another one.
   * @returns false when the connection is over
   */
  replay(message: { readonly event: string }): Promise<boolean>
  unsubscribe(): void
}

/** What answers each method. A throw is the failure of that call alone: an RpcError as it is, anything else as INTERNAL. */
export type Handlers<M> = {
  readonly [Name in keyof M]: (
    params: ParamsOf<M[Name]>,
    caller: Caller,
  ) => ResultOf<M[Name]> | Promise<ResultOf<M[Name]>>
}

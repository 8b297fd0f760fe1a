/** The handlers of a wing whose code is loaded by the first call. */
import type { Handlers } from '../../ipc/methods/method.ts'

/**
 * @param methods the rows of its method table
 * @param load gives the wing at work
 */
export function lateHandlers<M extends object>(
  methods: M,
  load: () => Promise<{ readonly handlers: Handlers<M> }>,
): Handlers<M> {
  const names = Object.keys(methods) as (keyof Handlers<M>)[]
  const late = names.map((name) => [
    name,
    async (params: never, caller: never): Promise<unknown> => {
      const handle = (await load()).handlers[name] as (params: never, caller: never) => unknown
      return await handle(params, caller)
    },
  ])
  return Object.fromEntries(late) as Handlers<M>
}

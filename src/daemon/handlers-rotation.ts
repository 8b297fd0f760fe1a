/** What answers the methods about who may sign: devices approved, keys rotated and followed, a device that leaves (docs/ipc.md, section 3). */
import type { Handlers } from '../ipc/method.ts'
import type { Methods } from '../ipc/methods.ts'
import { listedDevice } from './handlers-own.ts'
import type { Keeper } from './keeper.ts'
import { leave } from './leave.ts'
import { checkWords, follow, rotate } from './rotation.ts'

export type RotationMethods = Pick<
  Methods,
  'device.approve' | 'rotation.plan' | 'rotation.apply' | 'rotation.follow' | 'recovery.check' | 'persona.leave'
>

export function rotationHandlers(keeper: Keeper): Handlers<RotationMethods> {
  return {
    'device.approve': ({ device }) =>
      keeper.change(() => ({ table: keeper.own.approve(listedDevice(keeper, device).key) })),
    'rotation.plan': (wishes) => keeper.change(() => keeper.own.rotation.plan(wishes)),
    'rotation.apply': ({ plan, words, ...wishes }) => rotate(keeper, wishes, plan, words ?? null),
    'rotation.follow': async ({ words }) => ({ table: await follow(keeper, words ?? null) }),
    'recovery.check': ({ words }) => ({ belongs: checkWords(keeper, words) }),
    'persona.leave': () => leave(keeper),
  }
}

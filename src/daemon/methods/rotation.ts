/** The methods that decide who may sign: approve a device, rotate, follow, succeed, leave, recover, reconcile (docs/ipc.md, section 3). */
import type { Handlers } from '../../ipc/methods/method.ts'
import type { Methods } from '../../ipc/methods/all-methods.ts'
import { listedDevice } from './own.ts'
import type { Keeper } from '../keeper/keeper.ts'
import { reconcile } from '../own/reconcile.ts'
import { leave, type Farewell } from '../rotation/leave.ts'
import { recover } from '../rotation/recover.ts'
import { checkWords, follow, rotate } from '../rotation/rotate.ts'
import { succeed } from '../rotation/succeed.ts'

export type RotationMethods = Pick<
  Methods,
  | 'device.approve'
  | 'rotation.plan'
  | 'rotation.apply'
  | 'rotation.follow'
  | 'succession.plan'
  | 'succession.apply'
  | 'succession.end'
  | 'recovery.check'
  | 'persona.leave'
  | 'persona.reconcile'
  | 'persona.recover'
>

export function rotationHandlers(keeper: Keeper, farewell: Farewell): Handlers<RotationMethods> {
  return {
    'device.approve': ({ device }) =>
      keeper.change(() => ({ table: keeper.approveDevice(listedDevice(keeper, device).key) })),
    'rotation.plan': (wishes) => keeper.change(() => keeper.own.rotationPlan(wishes)),
    'rotation.apply': ({ plan, words, ...wishes }) => rotate(keeper, wishes, plan, words ?? null),
    'rotation.follow': async ({ words }) => ({ table: await follow(keeper, words ?? null) }),
    'succession.plan': (wishes) => keeper.change(() => keeper.own.succession.plan(wishes)),
    'succession.apply': ({ plan, words, ...wishes }) => succeed(keeper, wishes, plan, words ?? null),
    'succession.end': () => keeper.change(() => keeper.own.succession.end()),
    'recovery.check': ({ words }) => ({ belongs: checkWords(keeper, words) }),
    'persona.leave': () => leave(keeper, farewell),
    'persona.recover': (params) => recover(keeper, params),
    'persona.reconcile': ({ copies, force }) => keeper.change(() => reconcile(keeper, copies ?? [], force === true)),
  }
}

/** What answers the methods about who may sign: devices approved, keys rotated (docs/ipc.md, section 3). */
import type { Handlers } from '../ipc/method.ts'
import type { Methods } from '../ipc/methods.ts'
import { listedDevice } from './handlers-own.ts'
import type { Keeper } from './keeper.ts'

export type RotationMethods = Pick<Methods, 'device.approve'>

export function rotationHandlers(keeper: Keeper): Handlers<RotationMethods> {
  return {
    'device.approve': ({ device }) =>
      keeper.change(() => ({ table: keeper.own.approve(listedDevice(keeper, device).key) })),
  }
}

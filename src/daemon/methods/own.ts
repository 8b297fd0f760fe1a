/** The methods of the own persona: init, the table, the status message (docs/ipc.md, section 3). */
import type { Edit } from '../../core/edit.ts'
import type { Handlers } from '../../ipc/methods/method.ts'
import type { Methods } from '../../ipc/methods/all-methods.ts'
import type { InitParams } from '../../ipc/methods/own.ts'
import type { EditResult, OwnTable } from '../../ipc/shapes/own.ts'
import { StoreError } from '../../store/errors.ts'
import { personaExists } from '../state/errors.ts'
import type { Keeper } from '../keeper/keeper.ts'
import { shownByDevices } from '../own/shown-by-devices.ts'
import { OWN } from '../state/own-record.ts'
import { deviceAmong } from '../own/own-records.ts'

export type OwnMethods = Pick<
  Methods,
  | 'blob.get'
  | 'persona.init'
  | 'device.list'
  | 'device.shown'
  | 'device.add'
  | 'device.rename'
  | 'device.activate'
  | 'device.rekey'
  | 'device.remove'
>

export function ownHandlers(keeper: Keeper): Handlers<OwnMethods> {
  const edit = (make: () => Edit): Promise<EditResult> => keeper.change(() => keeper.own.edit(make()))
  return {
    'blob.get': ({ words = '', short = false }) => keeper.statusMessage(words, short ? 'short' : 'table'),
    'persona.init': (params) => keeper.serializeInit(() => init(keeper, params)),
    'device.list': () => keeper.table(),
    'device.shown': () => {
      const table = keeper.table()
      const own = keeper.onDisk.own.get(OWN)
      return { devices: own === undefined ? [] : shownByDevices(own, table, (key) => keeper.shownBy(key)) }
    },
    'device.add': ({ name, key, again, check }) => {
      const add = (): EditResult => keeper.own.edit({ kind: 'add', key, name }, again)
      return check === true ? keeper.tryOut(add) : keeper.change(add)
    },
    'device.rename': ({ device, name }) =>
      edit(() => {
        const listed = listedDevice(keeper, device)
        return { kind: 'rename', key: listed.key, found: listed.name, name }
      }),
    'device.activate': ({ device }) =>
      edit(() => ({
        kind: 'activate',
        key: listedDevice(keeper, device).key,
        found: keeper.own.table().devices[0]!.key,
      })),
    'device.rekey': ({ device, key }) =>
      edit(() => ({ kind: 'rekey', key: listedDevice(keeper, device).key, newKey: key })),
    'device.remove': ({ device }) => edit(() => ({ kind: 'remove', key: listedDevice(keeper, device).key })),
  }
}

/**
 * Finds an own device by nickname or by a prefix of its key. Call it inside a change.
 * @throws {KeeperError} NO_PERSONA | NOT_FOUND | AMBIGUOUS
 */
export function listedDevice(keeper: Keeper, query: string): OwnTable['devices'][number] {
  return deviceAmong(keeper.own.table().devices, query)
}

async function init(keeper: Keeper, { device, passphrase, unnamed }: InitParams): Promise<{ table: OwnTable }> {
  const { custody } = keeper
  const exists = keeper.own.personaId
  if (exists !== null) throw personaExists(exists)
  const position = await custody.create(passphrase ?? null)
  try {
    return await keeper.change(() => {
      keeper.own.begin(position, device === undefined ? [] : [device], unnamed !== true)
      return { table: keeper.own.table() }
    })
  } catch (error) {
    // After a failed write the persona may be in the store or not. The next start finds out.
    if (!(error instanceof StoreError)) await custody.discard()
    throw error
  }
}

/** Decides what became of an edit once all is quiet. It knows everybody's edits, and what each of them knew. */
import type { Edit } from '../../src/core/edit.ts'
import type { History, Made } from './history.ts'

/** `lost` and `back` must never happen. */
export type Fate =
  | 'shown'
  | 'added again' // by somebody who knew of the removal
  | 'copied' // back by a thief's copy of the state, which has the add, and saw no table from which this edit removed the key
  | 'removed' // or rekeyed, by somebody whose edit its maker did not know
  | 'overtaken' // by another edit of the same thing that its maker did not know
  | 'told' // its maker's owner was notified, with the command that repeats it
  | 'unlisted' // its maker's device is no longer in the table, and signs nothing until the owner decides
  | 'forgotten' // with the state that its maker's owner replaced by an old copy
  | 'lost'
  | 'back'

export function fateOf(made: Made, history: History): Fate {
  const { edit, by } = made
  const table = history.siblings[0]!.test.keeper.ownTable!
  const keys = table.devices.map(({ key }) => key)
  if (isShown(edit, table.devices)) return 'shown'
  const others = history.made.filter((other) => other !== made)
  const isBack = (edit.kind === 'remove' || edit.kind === 'rekey') && keys.includes(edit.key)
  if (isBack && others.some((other) => addsAgain(other, edit.key) && history.past(other).has(made)))
    return 'added again'
  if (by.forgotten.has(made)) return 'forgotten'
  const { localDevices } = by.test.records.own.get('own')!
  if (!keys.some((key) => localDevices.includes(key))) return 'unlisted'
  const spoken = edit.kind === 'rekey' ? [edit.key, edit.newKey] : [edit.key]
  if (by.told.some((command) => spoken.some((key) => command.includes(key)))) return 'told'
  if (isBack) {
    const { thief } = history
    const isCopied = thief !== null && history.unknowingAdder(edit.key) === thief && !thief.made.includes(made)
    return isCopied ? 'copied' : 'back'
  }
  const past = history.past(made)
  const unknown = others.filter((other) => !past.has(other)).map((other) => other.edit)
  const about = [edit.key, edit.kind === 'rekey' ? edit.newKey : '', edit.kind === 'activate' ? edit.found : '']
  if (unknown.some(({ kind, key }) => (kind === 'remove' || kind === 'rekey') && about.includes(key))) return 'removed'
  if (unknown.some((other) => other.kind === edit.kind && (edit.kind === 'activate' || other.key === edit.key)))
    return 'overtaken'
  return 'lost'
}

function addsAgain({ edit }: Made, key: string): boolean {
  return edit.kind === 'add' && edit.key === key
}

/** Whether a table shows the result of an edit. */
export function isShown(edit: Edit, devices: readonly { readonly name: string; readonly key: string }[]): boolean {
  const listed = devices.find(({ key }) => key === edit.key)
  switch (edit.kind) {
    case 'add':
      return listed !== undefined
    case 'remove':
      return listed === undefined
    case 'rename':
      return listed !== undefined && (listed.name === edit.name || listed.name.startsWith(`${edit.name}-`))
    case 'activate':
      return devices[0]?.key === edit.key
    case 'rekey':
      return listed === undefined && devices.some(({ key }) => key === edit.newKey)
    case 'set':
      throw new Error('the story sets nothing')
  }
}

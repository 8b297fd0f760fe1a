/** Names of objects, and the app in the id of a record. */

/**
 * Names the object that an entry leads to. The sender and the hash are part of it: whoever learns an id, such as the operator of a store, keeps
 * nobody from the true object by an entry of their own.
 */
export function objectName({
  from,
  id,
  hash,
}: {
  readonly from: string
  readonly id: string
  readonly hash: string
}): string {
  return `${from} ${id} ${hash}`
}

export function appIn(id: string): string {
  return id.slice(0, id.indexOf('/'))
}

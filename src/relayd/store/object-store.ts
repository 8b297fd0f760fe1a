/** The part of a relay's store that knows of objects: which there are, whose they are, and how much they take. Their bytes lie elsewhere (src/relayd/objects). */

/** An object, as the store and its file know it. */
export interface ObjectPlace {
  /** PersonaID in upper-case hex. */
  readonly persona: string
  /** SHA-256 of the id in upper-case hex. The id opens the object to everybody, so it never lies on the disk. */
  readonly name: string
}

/** Tells one object from all others. */
export function objectId({ persona, name }: ObjectPlace): string {
  return `${persona}/${name}`
}

/** Reads {@link objectId}. */
export function parseObjectId(id: string): ObjectPlace {
  const [persona = '', name = ''] = id.split('/')
  return { persona, name }
}

/** An object that somebody is about to send. */
export interface OfferedObject extends ObjectPlace {
  /** The most that it may turn out to have. */
  readonly bytes: number
  /** SHA-256 of its bytes, 32 bytes. */
  readonly hash: Uint8Array
}

export interface HeldObject {
  readonly bytes: number
  /** SHA-256 of its bytes, 32 bytes. */
  readonly hash: Uint8Array
}

/**
 * begun: it counts from now on, and its sender may send it. there: the store has one in this place, and objects never change. coming: another
 * sender is sending one. much: the persona has no room for it. full: the disk has no room. unknown: there is no card of the persona any more.
 */
export type BeginOutcome =
  | { readonly outcome: 'begun' }
  | { readonly outcome: 'unknown' }
  | { readonly outcome: 'coming' | 'much' | 'full' }
  | { readonly outcome: 'there'; readonly hash: Uint8Array }

export interface ObjectStore {
  /** Counts an object before it is in its place. Durable when it resolves, so that a crash leaves nothing there that does not count. */
  begin(object: OfferedObject, nowUs: number): Promise<BeginOutcome>
  /**
   * Gives out an object from now on: its file is durable. Durable when it resolves.
   * @returns gone: the object, or the last card of its persona, was deleted meanwhile; full: the disk is full. The caller then deletes it
   */
  finish(place: ObjectPlace, bytes: number, nowUs: number): Promise<'kept' | 'gone' | 'full'>
  /** @returns null for one that is not there, that has lived its time, or that is still coming */
  find(place: ObjectPlace, nowUs: number): Promise<HeldObject | null>
  /** Whether the store counts a file in this place: of an object that is there, that is coming, or that has lived its time. */
  counts(place: ObjectPlace): Promise<boolean>
  /**
   * Deletes objects, all in one step; one that is not there is no error. Their files come after.
   * @throws {StoreError} STORE_DISK_FULL: nothing changed
   */
  remove(places: readonly ObjectPlace[]): Promise<void>
  /** @returns at most `limit` objects of a persona, those that are coming too */
  of(persona: string, limit: number): Promise<readonly ObjectPlace[]>
  /** @returns at most `limit` objects that have lived their time, the oldest first */
  due(nowUs: number, limit: number): Promise<readonly ObjectPlace[]>
  /** @param beforeUs only those that began before it @returns at most `limit` objects that are coming */
  unfinished(limit: number, beforeUs?: number): Promise<readonly ObjectPlace[]>
}

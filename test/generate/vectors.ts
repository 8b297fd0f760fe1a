/** Writes test/vectors/ with `node test/generate/vectors.ts`. Every run writes the same bytes. */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { cardVectors, tokenVectors, type CardVector, type TokenVector } from './card-vectors.ts'
import {
  consentVectors,
  editVectors,
  replayVectors,
  type ConsentVector,
  type EditVector,
  type ReplayVector,
} from './decision-vectors.ts'
import { announceVectors, itemVectors, type AnnounceVector, type ItemVector } from './item-vectors.ts'
import { channelVectors, type ChannelVector } from './channel-vectors.ts'
import { directVectors, type DirectVector } from './direct-vectors.ts'
import { inviteVectors, type InviteVector } from './invite-vectors.ts'
import { meetingVectors, type MeetingVector } from './meeting-vectors.ts'
import { entryVectors, type EntryVector } from './entry-vectors.ts'
import { messageVectors, type MessageVector } from './message-vectors.ts'
import {
  openingVectors,
  proposalVectors,
  wordVectors,
  type OpeningVector,
  type ProposalVector,
  type WordVector,
} from './proposal-vectors.ts'
import { linkVectors, type LinkVector } from './link-vectors.ts'
import { orderVectors, type OrderVector } from './order-vectors.ts'
import { shortVectors, type ShortVector } from './short-vectors.ts'
import { statusVectors, type StatusVector } from './status-vectors.ts'
import { successorVectors, type SuccessorVector } from './successor-vectors.ts'

export type Vector =
  | StatusVector
  | EditVector
  | OrderVector
  | ReplayVector
  | ConsentVector
  | LinkVector
  | InviteVector
  | MeetingVector
  | ChannelVector
  | DirectVector
  | ItemVector
  | AnnounceVector
  | ShortVector
  | SuccessorVector
  | CardVector
  | TokenVector
  | MessageVector
  | EntryVector
  | ProposalVector
  | OpeningVector
  | WordVector

export const VECTORS_DIR: string = fileURLToPath(new URL('../vectors/', import.meta.url))

/** Every vector by its file name. @throws when two have the same name */
export function makeVectors(): Map<string, Vector> {
  const files = new Map<string, Vector>()
  const vectors = [
    ...statusVectors(),
    ...editVectors(),
    ...orderVectors(),
    ...replayVectors(),
    ...consentVectors(),
    ...linkVectors(),
    ...inviteVectors(),
    ...meetingVectors(),
    ...channelVectors(),
    ...directVectors(),
    ...itemVectors(),
    ...announceVectors(),
    ...shortVectors(),
    ...successorVectors(),
    ...cardVectors(),
    ...tokenVectors(),
    ...messageVectors(),
    ...entryVectors(),
    ...proposalVectors(),
    ...openingVectors(),
    ...wordVectors(),
  ]
  for (const vector of vectors) {
    const file = `${vector.kind}-${vector.name}.json`
    if (files.has(file)) throw new Error(`two vectors have the name ${file}`)
    files.set(file, vector)
  }
  return files
}

export function formatVector(vector: Vector): string {
  return `${JSON.stringify(vector, null, 2)}\n`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  mkdirSync(VECTORS_DIR, { recursive: true })
  for (const file of readdirSync(VECTORS_DIR)) if (file.endsWith('.json')) rmSync(VECTORS_DIR + file)
  const vectors = makeVectors()
  for (const [file, vector] of vectors) writeFileSync(VECTORS_DIR + file, formatVector(vector))
  console.log(`${vectors.size} vectors`)
}

/** The four words of a channel: shown to both people, and compared once. */
import { wordsCompared } from '../../channel/exchange/life.ts'
import type { Role } from '../../ipc/methods/method.ts'
import { markVerified } from '../contacts/pin.ts'
import { ChannelsError } from './errors.ts'
import type { End } from './ends/end.ts'
import type { Means } from './ends/means.ts'
import { CHANNEL } from './records/channel-record.ts'
import type { Work } from './runner.ts'
import { wordsOf } from './views.ts'

export interface Verified {
  readonly words: string[] | null
  readonly verified: boolean
}

/**
 * Shows the words, or compares them with those that the peer sees.
 * @param words of the peer; null to show the own ones
 * @throws {ChannelsError} WORDS_DIFFER | WORDS_NONE | CHANNEL_APP
 */
export async function verify(
  end: End,
  words: readonly string[] | null,
  role: Role,
  { invites }: Work,
  means: Means,
): Promise<Verified> {
  const own = wordsOf(end.peek().channel.words)
  const record = means.keeper.onDisk.of(CHANNEL).get(end.id)
  const isCompared = record?.areWordsCompared === true
  if (words === null || isCompared) return { words: own, verified: isCompared }
  if (role !== 'admin')
    throw new ChannelsError('CHANNEL_APP', 'only the owner compares words', 'ask the owner to compare them')
  if (own === null)
    throw new ChannelsError('WORDS_NONE', 'the words are not known yet', 'wait until the channel has met its peer')
  const theirs = words.map((word) => word.trim().toLowerCase())
  if (theirs.join(' ') !== own.join(' '))
    throw new ChannelsError(
      'WORDS_DIFFER',
      'the words of the peer are not those of this channel',
      'read them once more; if they differ, somebody is between you: close the channel and make a new invite in another way',
      { channel: record?.name },
    )
  // A candidate gets the invite by it.
  await invites.withCandidate(end.id)?.confirm(end)
  await end.run((turn) => {
    turn.step(wordsCompared(turn.channel))
    turn.alongside.push(() => noteCompared(end.id, means))
  })
  return { words: null, verified: true }
}

/** Inside of a change. A contact whose persona has shown itself in the handshake is verified by it. */
function noteCompared(id: string, { keeper }: Means): void {
  const { state } = keeper
  const channels = state.of(CHANNEL)
  const record = channels.get(id)
  if (record === undefined) return
  state.stage(channels.put(id, { ...record, areWordsCompared: true }))
  const persona = record.peer === null ? undefined : state.persona(record.peer)
  if (persona !== undefined && persona.entry !== null) markVerified(persona, state)
}

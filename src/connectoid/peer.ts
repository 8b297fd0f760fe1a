/** A peer as the page sees it: what its record says, in the words of the interface. */
import { wordsCompared } from '../channel/exchange/life.ts'
import { ChannelError } from '../channel/exchange/errors.ts'
import { submit } from '../channel/exchange/send.ts'
import { encodeUtf8 } from '../core/encoding/bytes.ts'
import { wordAt } from '../crypto/word-list.ts'
import { ConnectoidError } from './errors.ts'
import type { PeerOfPage, PeerProblem, PeerState, PeerWay } from './interface.ts'
import { unshare } from './meeting.ts'
import type { PageEnd } from './page-end.ts'

const MAX_NAME_CHARS = 100 // sanity: what fits a line of a list

export class Peer implements PeerOfPage {
  readonly #end: PageEnd

  constructor(end: PageEnd) {
    this.#end = end
  }

  get id(): string {
    return this.#end.id
  }

  get name(): string {
    return this.#end.record.name
  }

  get ownName(): string | null {
    return this.#end.record.ownName
  }

  get persona(): string | null {
    return this.#end.record.persona
  }

  get state(): PeerState {
    const { host, guest, channel, isGone } = this.#end.record
    if (channel === null) return host !== null ? 'shared' : guest !== null ? 'waiting' : 'gone'
    if (channel.phase === 'meeting') return 'waiting'
    if (channel.phase === 'broken') return 'broken'
    return channel.phase === 'open' && !isGone ? 'connected' : 'gone'
  }

  get problem(): PeerProblem | null {
    const { guest, channel, ended, isUsedTwice, isVerified } = this.#end.record
    if (channel?.phase === 'broken') return 'BROKEN'
    if (ended !== null) return ended
    if (guest?.isIntercepted === true) return 'INTERCEPTED'
    if (isUsedTwice && !isVerified) return 'USED_TWICE'
    return this.#end.isOffline ? 'OFFLINE' : null
  }

  get way(): PeerWay {
    return this.#end.isDirect ? 'direct' : 'relay'
  }

  get words(): readonly string[] | null {
    return this.#end.record.channel?.words?.map(wordAt) ?? null
  }

  get isVerified(): boolean {
    return this.#end.record.isVerified
  }

  get lastHeardMs(): number | null {
    return this.#end.record.lastHeardMs
  }

  get unsent(): number {
    return this.#end.record.channel?.outbox.length ?? 0
  }

  async send(data: Uint8Array | string): Promise<number> {
    const bytes = typeof data === 'string' ? encodeUtf8(data) : data.slice()
    return await this.#end.run((turn) => {
      const { channel, isGone } = turn.record
      if (channel === null || isGone) throw notConnected()
      try {
        const step = submit(channel, bytes)
        turn.step(step)
        return step.channel.outNumber
      } catch (cause) {
        throw cause instanceof ChannelError ? ofChannel(cause) : cause
      }
    })
  }

  async verified(): Promise<void> {
    await this.#end.run((turn) => {
      turn.withChannel(wordsCompared)
      turn.set({ isVerified: true })
    })
  }

  async rename(name: string): Promise<void> {
    checkName(name)
    await this.#end.run((turn) => turn.set({ name }))
  }

  async unshare(): Promise<void> {
    await this.#end.run(unshare)
  }
}

/** @throws {ConnectoidError} BAD_NAME */
export function checkName(name: string): void {
  if (name.trim() !== '' && name.length <= MAX_NAME_CHARS) return
  throw new ConnectoidError('BAD_NAME', `a name has 1 to ${MAX_NAME_CHARS} characters`, { hint: 'choose another name' })
}

function notConnected(cause?: ChannelError): ConnectoidError {
  return new ConnectoidError('NOT_CONNECTED', 'nothing can be sent to this person', {
    hint: 'wait until they have used the link, or share a new one',
    ...(cause === undefined ? {} : { cause }),
  })
}

function ofChannel(cause: ChannelError): ConnectoidError {
  if (cause.code === 'CONTENT_TOO_LARGE')
    return new ConnectoidError('TOO_LARGE', cause.message, {
      hint: 'send it in parts',
      cause,
    })
  if (cause.code !== 'OUTBOX_FULL') return notConnected(cause)
  return new ConnectoidError('OUTBOX_FULL', cause.message, {
    hint: 'wait until the other side was there',
    cause,
  })
}

/**
 * The interface of the library for web pages (docs/connectoid.md). A page opens it once, shares links, accepts links of others, and sends to the
 * peers that it then has. `Connectoid` of src/connectoid/connectoid.ts implements all of it.
 */
import type { IceServer } from './browser.ts'
import type { ConnectoidError } from './errors.ts'

export interface OpenOptions {
  /** The app: labels of `a-z`, `0-9` and `-`, joined by dots, at most 100 characters. Both sides of a link have the same. */
  readonly app: string
  /** The URL of a relay where this page receives, or 2 to 4 of them: what is sent goes to all, so any one of them may be away. */
  readonly service: string | readonly string[]
  /** How the user calls themselves, a nickname of 1 to 32 characters. It stands in links, and proves nothing. */
  readonly name?: string
  /** Where links lead: the page of the app, `https://`, a host and a path. By default the address of this page, without query and fragment. */
  readonly page?: string
  /** Milliseconds between two checks of a relay without streams. By default a minute. */
  readonly checkMs?: number
  /**
   * Whether contents go directly from browser to browser, or to a daemon, while both sides are there. By default false: the other side then learns the
   * network addresses of this browser, so ask the user first.
   */
  readonly direct?: boolean
  /** STUN and TURN servers for the direct way, which say under which address this browser is seen. By default none. */
  readonly ice?: readonly IceServer[]
  /** Called when another tab of this browser has the channels. `open` goes on once that tab is closed. */
  readonly onwaiting?: () => void
  /**
   * Called, before `open` answers, for each peer whose data this browser cannot read: it is damaged, or a later version of the library wrote it.
   * @param error UNREADABLE, with the reason as its `cause`
   */
  readonly onunreadable?: (peer: PeerOfPage, error: ConnectoidError) => void
}

/** All channels of an app in this browser. One tab has them at a time. */
export interface ConnectoidPage {
  /**
   * Makes a link for one person, who may use it once and within 7 days. On return it is on disk here. It also works while no relay can be reached:
   * the guest then waits.
   * @param name what the user calls that person
   * @param replaces their peer of before, for example one whose data was thrown away: it is unshared once the link is used
   * @throws {ConnectoidError} STORAGE | CLOSED | BAD_NAME
   */
  share(name: string, replaces?: PeerOfPage): Promise<Share>

  /**
   * Uses a link. Call it once the user agreed: programs that look at links open pages too. A link that this browser has used already gives the
   * peer that came of it.
   * @param url the link, or the line `persona-invite:...` of a command line; white space in it is ignored
   * @param name what the user calls the person who made the link
   * @returns the peer, which is `waiting` until the maker's app has answered. It may become `connected` at any time later
   * @throws {ConnectoidError} NOT_A_LINK | DAMAGED | CUT | OTHER_APP | EXPIRED | OWN_LINK | PERSONA | STORAGE | CLOSED | BAD_NAME
   */
  accept(url: string, name: string): Promise<PeerOfPage>

  /** All people with whom something is shared, the oldest first, also those whose link is not used yet. */
  peers(): readonly PeerOfPage[]

  /**
   * Called with each content of a peer, in the order of that peer, once the content is on disk. It counts as taken when the call, or the promise
   * that it returns, is over without an error. A content that was not taken comes again after the next start, so a content may come twice: its number
   * tells. Contents wait on disk while there is no `onmessage`.
   */
  onmessage: ((message: Message) => unknown) | null

  /**
   * Called when a peer is new or has changed in any of its members, and once the last of an unshared one is erased. So it also says when the direct way
   * of a peer opens or closes: `way` is then another one.
   */
  onchange: ((peer: PeerOfPage) => void) | null

  /** Lets another tab have the channels. Nothing is lost. */
  close(): Promise<void>
}

export interface Share {
  /** The link. Whoever has it first is the peer. */
  readonly url: string
  /** The same as a QR code: the text of an SVG image, black on white, with its quiet zone. */
  readonly qr: string
  /** The person, as {@link ConnectoidPage.peers} lists them from now on. */
  readonly peer: PeerOfPage
}

export interface Message {
  readonly peer: PeerOfPage
  /** Its place among the contents of this peer: 1, 2, ... */
  readonly number: number
  readonly data: Uint8Array
  /** The data as UTF-8; null if it is not. */
  readonly text: string | null
}

export type PeerState =
  /** A link was made, and nobody has used it. */
  | 'shared'
  /** A link of somebody was used, and their app has not answered yet; or they have used ours, and their first word is on its way. */
  | 'waiting'
  | 'connected'
  /** The other side has unshared, or is gone for good. */
  | 'gone'
  /** The channel cannot go on; `problem` says why. Share a new link. */
  | 'broken'

export type PeerProblem =
  /** The link was used by somebody else, perhaps by the user on another device. Waiting goes on until the link ends. */
  | 'INTERCEPTED'
  /** A second guest came with the link of this peer: the first may have been the wrong one. Compare the words. */
  | 'USED_TWICE'
  /** The link has ended without an answer. */
  | 'EXPIRED'
  /** Another persona than that of the link has answered. */
  | 'MISBOUND'
  /** No relay of the peer can be reached now. Contents wait here. */
  | 'OFFLINE'
  /** The other side has other data than it should: one of the two was restored or copied. */
  | 'BROKEN'
  /** This browser cannot read the data of the peer. They have no name here, and only `unshare` works; it says nothing to the other side. */
  | 'UNREADABLE'

/** How contents go to a peer at present. */
export type PeerWay = 'relay' | 'direct'

export interface PeerOfPage {
  /** Stays the same in this browser. */
  readonly id: string
  /** The user's name for them; empty if their data cannot be read. */
  readonly name: string
  /** Their own name for themselves, a nickname; null if they gave none. It proves nothing. */
  readonly ownName: string | null
  /** Their PersonaID, 64 upper-case hex digits, proven when the link was used; null if they showed none. */
  readonly persona: string | null
  readonly state: PeerState
  /** The most important thing that is wrong now; null if nothing is. */
  readonly problem: PeerProblem | null
  /** The way by which contents go now. A direct one ends after 30 s without contents, and the next content opens it again. */
  readonly way: PeerWay
  /** Four words that both people see, until one of them has called {@link verified}; null before and after. */
  readonly words: readonly string[] | null
  /** Whether the people have compared the words. */
  readonly isVerified: boolean
  /** Unix milliseconds at which something of the peer came last; null for never. */
  readonly lastHeardMs: number | null
  /** How many contents the other side does not have yet. */
  readonly unsent: number

  /**
   * Sends a content. On return it is on disk here; it goes out as soon as that is possible, in order and once.
   * @param data bytes, or a text that travels as UTF-8; at most 64 MiB
   * @returns its number
   * @throws {ConnectoidError} NOT_CONNECTED while the link is not used and after the end | TOO_LARGE | OUTBOX_FULL | STORAGE | CLOSED
   */
  send(data: Uint8Array | string): Promise<number>

  /** The people have compared the words, by voice or face to face. @throws {ConnectoidError} STORAGE | CLOSED */
  verified(): Promise<void>

  /** Calls the peer by another name. @throws {ConnectoidError} BAD_NAME | STORAGE | CLOSED */
  rename(name: string): Promise<void>

  /**
   * Ends the sharing: erases all keys of this peer and takes it off the list. The other side hears of it, also if its page is closed for up to 30
   * days. @throws {ConnectoidError} STORAGE | CLOSED
   */
  unshare(): Promise<void>
}

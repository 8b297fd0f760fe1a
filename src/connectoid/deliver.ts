/** From the disk of a page to its `onmessage`. */
import { decodeUtf8 } from '../core/encoding/bytes.ts'
import { browser } from './browser.ts'
import { takeContents, type Received } from './contents.ts'
import type { Message, PeerOfPage } from './interface.ts'
import type { PageEnd } from './page-end.ts'

/**
 * Gives the page the contents of a peer that wait, one after another, and notes which it took.
 * @returns false if the page did not take all: one that it did not take comes again after the next start
 */
export async function deliver(
  end: PageEnd,
  peer: PeerOfPage,
  onmessage: (message: Message) => unknown,
): Promise<boolean> {
  const taken: Received[] = []
  let isAll = true
  try {
    for (const received of await end.contents()) {
      const { number, data } = received
      await onmessage({ peer, number, data, text: decodeUtf8(data) })
      taken.push(received)
    }
  } catch (error) {
    browser.reportError(error)
    isAll = false
  }
  try {
    await end.run((turn) => takeContents(turn, taken))
  } catch {
    isAll = false
  }
  return isAll
}

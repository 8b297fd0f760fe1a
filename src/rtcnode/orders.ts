/** Checks orders in personad-rtc, as the schema of the daemon does (schema.ts). A test compares the two. */
import { list, message, orNull, readerOf, text, whole, type Check } from '../process/order-checks.ts'
import type { Schema } from '../process/protocol.ts'
import type { Order } from './protocol.ts'
import { MAX_SDP_CHARS } from '../channel/rtc/connection.ts'
import { ADDRESS, ICE_URL, MAX_ICE_SERVERS } from './settings.ts'

const id = whole(1, Number.MAX_SAFE_INTEGER)
const sdp = text(new RegExp(`^[^]{1,${MAX_SDP_CHARS}}$`))

const ORDERS: { readonly [Type in Order['type']]: Check } = {
  configure: message('configure', {
    ice: list(text(ICE_URL), MAX_ICE_SERVERS),
    address: orNull(text(ADDRESS)),
  }),
  open: message('open', { id, sdp: orNull(sdp) }),
  answer: message('answer', { id, sdp }),
  send: message('send', { id }),
  close: message('close', { id }),
}

export const ORDER_READER: Schema<Order> = readerOf(ORDERS)

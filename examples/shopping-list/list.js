/**
 * The list on this device, and what counts when several devices have edited it.
 *
 * An item is `{ id, text, isTicked, isRemoved, stamp }`. The latest edit of an item wins, also if it removes the item. Removed items stay as marks, so
 * that an older edit of somebody else does not bring them back.
 */

const MAX_TEXT_CHARS = 100 // sanity: what fits a line of the page
const MAX_ID_CHARS = 40 // sanity: newId makes 18
const MAX_STAMP = 8.64e15 // sanity: the last millisecond that a Date can show

/** Reads what a peer sent. Their page may be another one, so what is no item is passed by. */
export function readItems(text) {
  try {
    const items = JSON.parse(text)
    return Array.isArray(items) ? items.filter(isItem) : []
  } catch {
    return []
  }
}

function isItem(value) {
  const { id, text, isTicked, isRemoved, stamp } = value ?? {}
  return (
    typeof id === 'string' &&
    id.length <= MAX_ID_CHARS &&
    typeof text === 'string' &&
    text.length <= MAX_TEXT_CHARS &&
    typeof isTicked === 'boolean' &&
    typeof isRemoved === 'boolean' &&
    Number.isInteger(stamp) &&
    stamp >= 0 &&
    stamp <= MAX_STAMP
  )
}

/**
 * The time of an edit, in milliseconds. It is later than that of the edit which it replaces: a device with a slow clock can correct what it sees of
 * one with a fast clock.
 */
export function stampAfter(item, nowMs) {
  return Math.max(nowMs, (item?.stamp ?? 0) + 1)
}

/** Whether an edit replaces another one of the same item. All devices come to the same result, in whatever order edits arrive. */
export function replaces(edit, other) {
  if (other === undefined || edit.stamp !== other.stamp) return edit.stamp > (other?.stamp ?? -1)
  const values = ({ isRemoved, isTicked, text }) => JSON.stringify([isRemoved, isTicked, text])
  return values(edit) > values(other)
}

/** Items in the order of their ids are in the order in which they were added. */
function newId(nowMs) {
  const random = crypto.getRandomValues(new Uint32Array(1))[0]
  return `${nowMs.toString(36).padStart(9, '0')}-${random.toString(36)}`
}

function resultOf(request) {
  return new Promise((resolve, reject) => {
    request.addEventListener('success', () => resolve(request.result))
    request.addEventListener('error', () => reject(request.error))
  })
}

/** The list in IndexedDB. An edit is on disk before its call is over, because a peer does not send it again. */
export class List {
  #database
  /** For each id: the item, the number of its change on this device, and the peer from whom it came. */
  #entries = new Map()
  /** For each peer: the number of the last change that they were sent. */
  #sent = new Map()
  #changes = 0

  static async open() {
    const request = indexedDB.open('shopping-list', 1)
    request.addEventListener('upgradeneeded', () => {
      request.result.createObjectStore('items')
      request.result.createObjectStore('sent')
    })
    const list = new List()
    list.#database = await resultOf(request)
    const stores = list.#database.transaction(['items', 'sent'])
    const [items, sent] = [stores.objectStore('items'), stores.objectStore('sent')]
    const [entries, peers, numbers] = await Promise.all(
      [items.getAll(), sent.getAllKeys(), sent.getAll()].map(resultOf),
    )
    for (const entry of entries) list.#note(entry)
    for (const [i, peer] of peers.entries()) list.#sent.set(peer, numbers[i])
    return list
  }

  items() {
    const items = [...this.#entries.values()].map(({ item }) => item)
    return items.filter(({ isRemoved }) => !isRemoved).toSorted((a, b) => (a.id < b.id ? -1 : 1))
  }

  async add(text) {
    const nowMs = Date.now()
    await this.#take([{ id: newId(nowMs), text, isTicked: false, isRemoved: false, stamp: nowMs }], null)
  }

  async edit(id, change) {
    const { item } = this.#entries.get(id)
    await this.#take([{ ...item, ...change, stamp: stampAfter(item, Date.now()) }], null)
  }

  async remove(id) {
    await this.edit(id, { text: '', isTicked: false, isRemoved: true })
  }

  /** Takes the edits of a peer. @returns those that changed something */
  async merge(edits, peer) {
    return await this.#take(edits, peer)
  }

  /** The items that a peer does not have yet: everything, for one who is new. */
  newsFor(peer) {
    const after = this.#sent.get(peer) ?? 0
    const news = [...this.#entries.values()].filter(({ change, from }) => change > after && from !== peer)
    return { items: news.map(({ item }) => item), upTo: this.#changes }
  }

  async noteSent(peer, upTo) {
    if (upTo === this.#sent.get(peer)) return
    this.#sent.set(peer, upTo)
    await this.#write('sent', (store) => store.put(upTo, peer))
  }

  async forget(peer) {
    this.#sent.delete(peer)
    await this.#write('sent', (store) => store.delete(peer))
  }

  async #take(edits, from) {
    const taken = []
    for (const { id, text, isTicked, isRemoved, stamp } of edits) {
      const item = { id, text, isTicked, isRemoved, stamp }
      if (!replaces(item, this.#entries.get(id)?.item)) continue
      this.#note({ item, from, change: this.#changes + 1 })
      taken.push(item)
    }
    await this.#write('items', (store) => {
      for (const { id } of taken) store.put(this.#entries.get(id), id)
    })
    return taken
  }

  #note(entry) {
    this.#entries.set(entry.item.id, entry)
    this.#changes = Math.max(this.#changes, entry.change)
  }

  #write(name, work) {
    const transaction = this.#database.transaction(name, 'readwrite', { durability: 'strict' })
    work(transaction.objectStore(name))
    return new Promise((resolve, reject) => {
      transaction.addEventListener('complete', () => resolve())
      transaction.addEventListener('abort', () => reject(transaction.error))
    })
  }
}

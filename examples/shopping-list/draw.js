/** Draws the list and the people. Rows stay while their item does, so that nobody loses the focus when a peer edits. */

export const byId = (id) => document.getElementById(id)

const PROBLEMS = {
  INTERCEPTED: 'The link was used by somebody else, perhaps by you on another device. Ask for a new link.',
  USED_TWICE: 'Somebody else came with the same link. Compare the words; if they differ, stop sharing.',
  EXPIRED: 'Nobody answered within 7 days. Share again.',
  MISBOUND: 'Somebody else than the maker of the link has answered. Ask for a new link.',
  OFFLINE: 'Their relay cannot be reached. Changes wait on this device.',
  BROKEN: 'The data of one side was restored, copied or deleted. Stop sharing, and share again.',
  UNREADABLE: 'This browser cannot read what it has kept of one person. Stop sharing, and share again.',
}
const STATES = {
  shared: () => 'The link is not used yet.',
  waiting: () => 'Their device has not answered yet.',
  connected: ({ unsent }) => (unsent === 0 ? 'They have all changes.' : 'The last changes are on their way.'),
  gone: () => 'They share this list with you no more.',
  broken: () => 'Nothing goes to them any more.',
}
const time = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'short' })

/** The name of a person. One whose data cannot be read has none. */
export const nameOf = ({ name }) => (name === '' ? 'somebody' : name)

/** Makes the rows of a list equal to the values: new ones from the template, those that are over removed. */
function drawRows(values, rows, template, make, update) {
  const known = new Map([...rows.children].map((row) => [row.dataset.id, row]))
  for (const [i, value] of values.entries()) {
    let row = known.get(value.id)
    known.delete(value.id)
    if (row === undefined) {
      row = byId(template).content.firstElementChild.cloneNode(true)
      row.dataset.id = value.id
      make(row, value.id)
    }
    if (rows.children[i] !== row) rows.insertBefore(row, rows.children[i] ?? null)
    update(row, value)
  }
  for (const row of known.values()) row.remove()
}

/** @param on what to do with the item of an id: `tick(id, isTicked)`, `change(id, text)`, `remove(id)` */
export function drawItems(items, on) {
  const make = (row, id) => {
    const [box, text, remove] = row.children
    box.addEventListener('change', () => on.tick(id, box.checked))
    text.addEventListener('change', () => on.change(id, text.value.trim()))
    remove.addEventListener('click', () => on.remove(id))
  }
  const update = (row, { text, isTicked }) => {
    const [box, field, remove] = row.children
    box.checked = isTicked
    box.setAttribute('aria-label', `${text}: bought`)
    if (field !== document.activeElement) field.value = text
    field.setAttribute('aria-label', `Item ${text}`)
    remove.setAttribute('aria-label', `Remove ${text}`)
    row.classList.toggle('ticked', isTicked)
  }
  drawRows(items, byId('items'), 'item', make, update)
  byId('empty').hidden = items.length > 0
}

/** @param on what to do with the person of an id: `unshare(id)`, `verified(id)`, `renew(id)`, `show(id)`; and `hasLink(id)` */
export function drawPeople(peers, on) {
  const make = (row, id) => {
    const find = (name) => row.querySelector(name)
    find('.unshare').addEventListener('click', () => on.unshare(id))
    find('.differ').addEventListener('click', () => on.unshare(id))
    find('.same').addEventListener('click', () => on.verified(id))
    find('.renew').addEventListener('click', () => on.renew(id))
    find('.show').addEventListener('click', () => on.show(id))
  }
  const update = (row, peer) => {
    const { id, state, problem, words, isVerified, lastHeardMs } = peer
    const name = nameOf(peer)
    const find = (name) => row.querySelector(name)
    const heard = lastHeardMs === null ? '' : ` Last heard: ${time.format(lastHeardMs)}.`
    find('h3').textContent = isVerified ? `${name} ✓ words compared` : name
    find('.state').textContent = STATES[state](peer) + heard
    find('.problem').textContent = PROBLEMS[problem] ?? ''
    find('.problem').hidden = problem === null
    find('.compare').hidden = words === null
    find('.words').textContent = words?.join(' ') ?? ''
    find('.show').hidden = state !== 'shared' || !on.hasLink(id)
    find('.renew').hidden = state === 'shared' || peer.name === ''
    find('.renew').textContent = `New link for ${name}`
    find('.unshare').textContent = `${state === 'gone' ? 'Remove' : 'Stop sharing with'} ${name}`
  }
  drawRows(peers, byId('people'), 'person', make, update)
  byId('nobody').hidden = peers.length > 0
}

/** Shows a QR code: the text of an SVG image. */
export function drawQr(svg) {
  const image = new DOMParser().parseFromString(svg, 'image/svg+xml').documentElement
  image.setAttribute('aria-label', 'The link as a QR code')
  byId('qr').replaceChildren(image)
}

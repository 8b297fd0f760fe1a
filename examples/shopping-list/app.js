/** A shopping list that people share by a link: the list lies on their devices, and sealed changes travel over a relay (docs/guide/two-browsers.md). */
import { Connectoid } from './connectoid.js'
import { byId, drawItems, drawPeople, drawQr, nameOf } from './draw.js'
import { List, readItems } from './list.js'

const service = document.querySelector('meta[name=relay]').content
const links = new Map() // of peers whose link was made since the page was loaded
let connectoid
let list
let syncing = Promise.resolve()

function showProblem(error) {
  byId('problem').textContent = error === null ? '' : [error.message, error.hint].filter(Boolean).join(': ')
  byId('problem').hidden = error === null
}

/** Runs what the person asked for, and shows its error. */
async function attempt(work) {
  try {
    showProblem(null)
    await work()
  } catch (error) {
    showProblem(error)
  }
}

function draw() {
  drawItems(list.items(), onItem)
  drawPeople(connectoid.peers(), onPerson)
}

/** Sends each peer what they do not have. A content that goes out twice changes nothing. */
function sync() {
  syncing = syncing.then(async () => {
    for (const peer of connectoid.peers().filter(({ state }) => state === 'connected')) {
      const { items, upTo } = list.newsFor(peer.id)
      if (items.length > 0) await peer.send(JSON.stringify(items))
      await list.noteSent(peer.id, upTo)
    }
  })
  syncing = syncing.catch(showProblem)
}

function refresh() {
  draw()
  sync()
}

async function edited(work) {
  await attempt(() => work)
  refresh()
}

const onItem = {
  tick: (id, isTicked) => edited(list.edit(id, { isTicked })),
  change: (id, text) => edited(text === '' ? list.remove(id) : list.edit(id, { text })),
  remove: (id) => edited(list.remove(id)),
}

const peerOf = (id) => connectoid.peers().find((peer) => peer.id === id)

const onPerson = {
  verified: (id) => attempt(() => peerOf(id).verified()),
  unshare: (id) =>
    attempt(async () => {
      const peer = peerOf(id)
      const question = `Stop sharing with ${nameOf(peer)}? Both keep the items that they have.`
      if (peer.state !== 'gone' && !confirm(question)) return
      await peer.unshare()
      await list.forget(id)
      draw()
    }),
  renew: (id) => attempt(() => makeLink(peerOf(id).name, peerOf(id))),
  hasLink: (id) => links.has(id),
  show: (id) => showLink(peerOf(id).name, links.get(id)),
}

/** @param replaces the same person as before: they have lost their data */
async function makeLink(name, replaces) {
  const share = await connectoid.share(name, replaces)
  links.set(share.peer.id, share)
  showLink(name, share)
}

function showLink(name, { url, qr }) {
  byId('link-title').textContent = `A link for ${name}`
  byId('link').value = url
  byId('copy').textContent = 'Copy the link'
  drawQr(qr)
  byId('link-dialog').showModal()
}

async function received({ peer, text }) {
  const taken = await list.merge(readItems(text), peer.id)
  if (taken.length === 0) return
  byId('news').textContent =
    `${peer.name} changed ${taken.length === 1 ? taken[0].text || 'an item' : `${taken.length} items`}.`
  refresh()
}

/** Opens the channels, under the nickname of the person. Links that they make show it. */
async function open() {
  const name = localStorage.getItem('nickname') ?? ''
  const onwaiting = () =>
    showProblem(new Error('The list is open in another tab. Close that tab, and this one goes on.'))
  connectoid = await Connectoid.open({ app: 'shopping-list', service, onwaiting, ...(name === '' ? {} : { name }) })
  showProblem(null)
  // The list is read once no other tab writes it.
  list ??= await List.open()
  byId('content').hidden = false
  Object.assign(connectoid, { onmessage: received, onchange: refresh })
  refresh()
}

async function callOneself(name) {
  if (name === localStorage.getItem('nickname')) return
  localStorage.setItem('nickname', name)
  await syncing
  await connectoid.close()
  await open()
}

/** Prepares a dialog that asks for both names. */
function prepare(id, agreed) {
  const form = document.querySelector(`#${id} form`)
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    byId(id).close()
    void attempt(async () => {
      // Otherwise the browser may delete the list and the keys when its disk is full.
      await navigator.storage.persist()
      await callOneself(form.elements.own.value.trim())
      await agreed(form.elements.other.value.trim())
    })
  })
}

function ask(id) {
  document.querySelector(`#${id} form`).elements.own.value = localStorage.getItem('nickname') ?? ''
  byId(id).showModal()
}

for (const button of document.querySelectorAll('dialog .close'))
  button.addEventListener('click', () => button.closest('dialog').close())
byId('add').addEventListener('submit', (event) => {
  event.preventDefault()
  const text = byId('text').value.trim()
  byId('text').value = ''
  if (text !== '') void edited(list.add(text))
})
prepare('share-dialog', (name) => makeLink(name))
byId('share').addEventListener('click', () => ask('share-dialog'))
byId('copy').addEventListener('click', () => {
  void attempt(async () => {
    await navigator.clipboard.writeText(byId('link').value)
    byId('copy').textContent = 'Copied'
  })
})

await attempt(open)
// Nothing of the link is used before the person agrees: programs that look at links open pages too.
if (location.search.startsWith('?connectoid=') && connectoid !== undefined) {
  const link = location.href
  prepare('accept-dialog', (name) => connectoid.accept(link, name))
  byId('accept-dialog').addEventListener('close', () => history.replaceState(null, '', location.pathname))
  ask('accept-dialog')
}
// Some browsers have none in private windows.
await navigator.serviceWorker?.register('offline.js')

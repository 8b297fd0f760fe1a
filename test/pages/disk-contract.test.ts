/** The storage of pages, IndexedDB with strict commits, keeps to the rules of every storage of channels (docs/connectoid.md, section 3). */
import { onTestFinished, test } from 'vitest'
import { bundleForPages } from '../../bundle/connectoid.ts'
import { BROWSER } from '../../examples/shopping-list/chromium.ts'
import { serveFiles } from '../../examples/shopping-list/serve.ts'
import { storageContract, type DiskPlayer } from '../support/disk-contract.ts'
import { openTab, startBrowser } from './browsers.ts'

const TIMEOUT_MS = 60_000

/** Work with the store of records, beside the library. */
const DATABASE = `
window.records = (name, mode, work) => new Promise((resolve, reject) => {
  const open = indexedDB.open(name)
  open.onsuccess = () => {
    const transaction = open.result.transaction('records', mode)
    const request = work(transaction.objectStore('records'))
    transaction.oncomplete = () => { open.result.close(); resolve(request.result) }
    transaction.onabort = () => reject(transaction.error)
  }
})
window.copyFrame = async (name, to) => {
  const [frame] = await records(name, 'readonly', (store) => store.getAll(IDBKeyRange.bound(['frame'], ['frame', []])))
  await records(name, 'readwrite', (store) => store.put(frame, to))
}
window.raw = async () => {
  const values = await records('contract of disks', 'readonly', (store) => store.getAll())
  return values.map((value) => (value instanceof Uint8Array ? String.fromCharCode(...value) : '')).join()
}
`

async function startPage(): Promise<DiskPlayer> {
  const files = new Map([
    ['index.html', '<!doctype html><title>disk</title><script type="module" src="app.js"></script>'],
    ['app.js', `${DATABASE}\n${await bundleForPages('test/pages/disk-page.ts')}`],
  ])
  const { url, close } = await serveFiles(files, `default-src 'none'; script-src 'self'`, 0)
  onTestFinished(close)
  const page = await openTab(await startBrowser(), url)
  return {
    play: async () => await page.evaluate('play()'),
    failToWrite: async () => await page.evaluate('failToWrite()'),
    opensElsewhere: async () => await page.evaluate('opensElsewhere()'),
    raw: async () => await page.evaluate('raw()'),
  }
}

if (BROWSER === undefined) test.skip('the storage of a page (needs chromium)')
else storageContract('the storage of a page', startPage, TIMEOUT_MS)

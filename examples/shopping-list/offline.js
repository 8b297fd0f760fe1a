/** Keeps the page for times without a network. It gives the newest files if they can be had, and else those of the last time. */
const FILES = ['./', 'style.css', 'app.js', 'draw.js', 'list.js', 'connectoid.js']
const urls = new Set(FILES.map((file) => new URL(file, registration.scope).href))

async function keepAll() {
  const cache = await caches.open('page')
  await cache.addAll(FILES)
}

async function answer(request, url) {
  const cache = await caches.open('page')
  try {
    const response = await fetch(request)
    if (response.ok) await cache.put(url, response.clone())
    return response
  } catch (error) {
    const kept = await cache.match(url)
    if (kept === undefined) throw error
    return kept
  }
}

addEventListener('install', (event) => event.waitUntil(keepAll()))
addEventListener('fetch', (event) => {
  // A link has a query, and its secret half is not to be kept.
  const url = event.request.url.replace(/[?#].*/, '')
  if (event.request.method === 'GET' && urls.has(url)) event.respondWith(answer(event.request, url))
})

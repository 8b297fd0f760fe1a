/** The one file of the library for web pages: its size, and what it needs (docs/connectoid.md). */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { bundleConnectoid, bundleForPages } from '../../bundle/connectoid.ts'
import { portableBoxes } from '../../src/crypto/portable-boxes.ts'
import { portableEngine } from '../../src/crypto/portable.ts'
import { tempDir } from '../support/temp-dir.ts'

const MAX_GZIP_BYTES = 68_000 // sanity: what it has now, and some hundred more; decision 41 says where they go

test('the library is one file of bounded size, which loads no other, and makes no code from texts', async () => {
  const text = await bundleConnectoid()
  expect(gzipSync(text, { level: 9 }).length).toBeLessThan(MAX_GZIP_BYTES)
  expect(text).not.toMatch(/\bimport\s*[({"']|\bfrom\s*["']|\bnode:/)
  expect(text).not.toMatch(/\beval\(|\bnew Function\b|\bFunction\(/)
  expect(text.match(/export\s*\{[^}]*\}/g)).toEqual([expect.stringMatching(/ as Connectoid\}/)])
})

test('the engine of a page has all functions of the portable engine, with the same results', async () => {
  const text = await bundleForPages('src/crypto/portable-boxes.ts')
  const file = join(tempDir(), 'engine.js')
  writeFileSync(file, text)
  const module = (await import(file)) as Record<string, unknown>
  const page = module['portableBoxes'] as typeof portableBoxes
  expect(page.randomBytes(32)).not.toEqual(page.randomBytes(32))

  const [message, secret, nonce] = [page.randomBytes(300), page.randomBytes(32), page.randomBytes(24)]
  const { publicKey, secretKey } = portableEngine.signKeyPair(secret)
  const signature = portableEngine.sign(message, secretKey)
  const sealed = portableBoxes.sealBox(message, nonce, secret)
  const results: Record<keyof typeof portableBoxes, (engine: typeof portableBoxes) => unknown> = {
    randomBytes: (engine) => engine.randomBytes(70_000).length,
    sha256: (engine) => engine.sha256(message, nonce),
    sha512: (engine) => engine.sha512(message, nonce),
    verify: (engine) => [message, nonce].map((text) => engine.verify(signature, text, publicKey)),
    boxPublicKey: (engine) => engine.boxPublicKey(secret),
    agree: (engine) => engine.agree(secret, publicKey),
    sealBox: (engine) => engine.sealBox(message, nonce, secret, nonce),
    openBox: (engine) => [sealed, message].map((box) => engine.openBox(box, nonce, secret)),
  }
  expect(Object.keys(page).toSorted()).toEqual(Object.keys(results).toSorted())
  for (const result of Object.values(results)) expect(result(page)).toEqual(result(portableBoxes))
})

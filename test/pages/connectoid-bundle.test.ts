/** The one file of the library for web pages: its size, and what it needs (docs/connectoid.md). */
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { bundleConnectoid } from '../../bundle/connectoid.ts'

const MAX_GZIP_BYTES = 66_000 // sanity: what it has now, and some hundred more; decision 41 says where they go

test('the library is one file of bounded size, which loads no other, and makes no code from texts', async () => {
  const text = await bundleConnectoid()
  expect(gzipSync(text, { level: 9 }).length).toBeLessThan(MAX_GZIP_BYTES)
  expect(text).not.toMatch(/\bimport\s*[({"']|\bfrom\s*["']|\bnode:/)
  expect(text).not.toMatch(/\beval\(|\bnew Function\b|\bFunction\(/)
  expect(text.match(/export\s*\{[^}]*\}/g)).toEqual([expect.stringMatching(/ as Connectoid\}/)])
})

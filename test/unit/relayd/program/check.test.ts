import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { checkRelay } from '../../../../src/relayd/program/check.ts'
import { tempDir } from '../../../support/temp-dir.ts'

async function unusedUrl(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return `http://127.0.0.1:${port}`
}

test('where nothing answers, one check fails and the others are not made', async () => {
  const lines: string[] = []
  const options = { url: await unusedUrl(), ca: undefined, tokenFile: undefined }
  expect(await checkRelay(options, (line) => lines.push(line))).toBe(1)
  expect(lines).toEqual([
    expect.stringMatching(/^FAIL {2}info {6}no usable answer: /),
    '1 of 1 checks failed; 10 more were not made',
  ])
})

test('a token file without a token is refused before anything is tried', async () => {
  const tokenFile = join(tempDir(), 'token')
  writeFileSync(tokenFile, '\n')
  const lines: string[] = []
  const options = { url: await unusedUrl(), ca: undefined, tokenFile }
  await expect(checkRelay(options, (line) => lines.push(line))).rejects.toThrow(`${tokenFile} has no token`)
  expect(lines).toEqual([])
})

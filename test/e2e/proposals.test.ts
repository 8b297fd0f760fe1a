/** Two people whose apps are linked, seen from outside: what the command line says to whoever accepts first and second. */
import { expect, test } from 'vitest'
import { leoAndKim, TARGET } from '../support/introduced.ts'
import { Home } from '../support/persona.ts'

test('whoever accepts first waits for the other one, and whoever accepts second does not', async () => {
  const { leo, kim } = await leoAndKim()
  await Promise.all([leo.link(), kim.link()])
  await Promise.all([leo.reach('proposed'), kim.reach('proposed')])
  const accept = ['--kind', 'proposal', '--app', TARGET]
  expect(await new Home(leo.home).done(['accept', 'Kim', ...accept])).toMatch(
    /^Kim ….{8}: accepted: the channel opens once they have accepted too, and is not verified\n$/,
  )
  await kim.reach('acceptedThere')
  expect(await new Home(kim.home).done(['accept', 'Leo', ...accept])).toMatch(
    /^Leo ….{8}: accepted: they have accepted you too, so the channel is being made; it is not verified\n$/,
  )
}, 30_000)

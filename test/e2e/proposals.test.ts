/** Two people whose apps are linked, seen from outside: by the command line, and by all bytes that apps get from their socket. */
import { createConnection, createServer } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { parseInvite } from '../../src/channel/invite/invite-text.ts'
import { inviteMembers } from '../../src/channel/invite/invite.ts'
import { PROPOSAL } from '../../src/daemon/links/proposals/kinds.ts'
import { connect } from '../../src/ipc/client.ts'
import type { EventName } from '../../src/ipc/methods/events.ts'
import { leoAndKim, SOURCE, TARGET, type Person } from '../support/introduced.ts'
import { Home } from '../support/persona.ts'
import { tempDir } from '../support/temp-dir.ts'

/** Connects an app, and keeps all that it gets. */
async function overheard({ inner }: Person, token: string, events: EventName[]) {
  let got = ''
  const server = createServer((socket) => {
    const daemon = createConnection(inner.paths.appSocket)
    daemon.on('data', (bytes) => (got += bytes.toString('utf8')))
    socket.pipe(daemon).pipe(socket)
    for (const end of [socket, daemon])
      end.on('error', () => {}).on('close', () => (socket.destroy(), daemon.destroy()))
  })
  const socketPath = join(tempDir(), 'app.sock')
  await new Promise<void>((resolve) => server.listen(socketPath, resolve))
  const client = await connect({ socketPath })
  onTestFinished(async () => {
    await client.close()
    server.close()
  })
  await client.call('app.hello', { token })
  await client.subscribe(events, () => {})
  return { client, got: () => got }
}

/** The secret, the key and the places of the offer that a person has made. */
async function secretsOf({ host }: Person): Promise<string[]> {
  const [stored] = (await Array.fromAsync(host.sealed.onDisk(PROPOSAL).iterate())).map(([, each]) => each)
  const line = stored!.proposal.own.offer!.invite
  const read = parseInvite(line)
  if (read.kind !== 'invite') throw new Error('an offer is an invite')
  const { pub, k, where } = inviteMembers(read.invite) as { pub: string; k: string; where: { url: string }[] }
  return [line, pub, k, ...where.map(({ url }) => url)]
}

test('whoever accepts first waits for the other one, and whoever accepts second does not', async () => {
  const { leo, kim } = await leoAndKim()
  await leo.link()
  expect(await new Home(kim.home).done(['app', 'link', SOURCE, TARGET, '--provide', 'Leo'])).toMatch(
    /^ {2}org\.example\.renuicorn provides Leo ….{8}, and asks you about those of the other one$/m,
  )
  await Promise.all([leo.reach('proposed'), kim.reach('proposed')])
  const accept = ['--kind', 'proposal', '--app', TARGET]
  expect((await new Home(leo.home).run(['pending'])).stdout).toContain(
    `to accept: persona accept Kim ${accept.join(' ')}\n`,
  )
  for (const verb of ['accept', 'reject']) {
    const { stderr } = await new Home(leo.home).run([verb, 'Kim'])
    expect(stderr).toMatch(new RegExp(`to answer that: persona .*${verb} Kim ${accept.join(' ')}`))
  }
  expect(await new Home(leo.home).done(['accept', 'Kim', ...accept])).toMatch(
    /^Kim ….{8}: accepted: the channel opens once they have accepted too, and is not verified\n$/,
  )
  await kim.reach('acceptedThere')
  expect(await new Home(kim.home).done(['accept', 'Leo', ...accept])).toMatch(
    /^Leo ….{8}: accepted: they have accepted you too, so the channel is being made; it is not verified\n$/,
  )
}, 30_000)

test('an app gets no invite and no address in the whole story, and one without the right hears nothing of it', async () => {
  const { leo, kim, folder } = await leoAndKim()
  const reader = await leo.owner.call('app.allow', { name: 'org.example.reader', can: ['read', 'channel', 'message'] })
  const passing: EventName[] = ['channel.changed', 'channel.content']
  const links: EventName[] = ['app.linked', 'app.unlinked']
  const without = await overheard(leo, reader.token, passing)
  const [source, target] = [
    await overheard(leo, leo.tokens[SOURCE]!, [...passing, ...links]),
    await overheard(leo, leo.tokens[TARGET]!, [...passing, ...links]),
  ]
  await Promise.all([leo.link(), kim.link()])
  await Promise.all([leo.reach('proposed'), kim.reach('proposed')])
  const secrets = [...(await secretsOf(leo)), ...(await secretsOf(kim)), folder, 'persona-invite:']
  await leo.answer(kim, 'accept')
  await kim.answer(leo, 'accept')
  await Promise.all([leo.reach('confirmed'), kim.reach('confirmed')])
  for (const { client } of [source, target, without]) await client.call('channel.list', {})
  for (const { client } of [source, target]) await client.call('app.links', {})
  for (const { got } of [source, target, without]) for (const secret of secrets) expect(got()).not.toContain(secret)
  expect(source.got()).toContain(TARGET)
  expect(target.got()).toContain(kim.persona)
  for (const secret of [SOURCE, TARGET, kim.persona]) expect(without.got()).not.toContain(secret)
}, 30_000)

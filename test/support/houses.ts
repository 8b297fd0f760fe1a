/** Two people, each with a source app and a target app on one device or on two, as daemons in this process. */
import { expect } from 'vitest'
import type { Receive } from '../../src/ipc/methods/links.ts'
import { settle } from './channel-daemon.ts'
import { TestKeeper } from './keeper.ts'
import { LinkDaemon, quiet, shareTable } from './link-daemon.ts'
import { MemoryPost } from './memory-carrier.ts'
import { siblings } from './rotation.ts'

export const SHOP = 'org.example.shop'
export const TALK = 'org.example.talk'
export const DAY_MS = 86_400_000

/** A person: the device with the source app, and the one with the target app. They may be the same. */
export interface House {
  source: LinkDaemon
  target: LinkDaemon
}

export interface Story {
  readonly post: MemoryPost
  readonly leo: House
  readonly kim: House
}

/** Each daemon once. */
export function all(...houses: readonly House[]): LinkDaemon[] {
  return [...new Set(houses.flatMap(({ source, target }) => [source, target]))]
}

/** Opens a channel of a source app. */
export async function meet(post: MemoryPost, host: LinkDaemon, guest: LinkDaemon, app: string = SHOP): Promise<void> {
  const { invite } = await host.channels.call('channel.invite', { app, name: 'Kim' })
  await guest.channels.call('channel.accept', { app, invite, name: 'Leo' })
  await settle(post, host.channels, guest.channels)
}

/** The devices with the target app meet in a source app too, and provide each other from there. */
export async function meetAgain({ post, leo, kim }: Story, app: string): Promise<void> {
  await meet(post, leo.target, kim.target, app)
  for (const { target } of [leo, kim]) await target.links.link(app, TALK, { provide: 'all' })
  await quiet(post, ...all(leo, kim))
}

export async function houseOn(devices: 1 | 2, post: MemoryPost): Promise<House> {
  if (devices === 1) {
    const source = await LinkDaemon.over(await TestKeeper.withPersona(), post)
    return { source, target: source }
  }
  const { laptop, phone } = await siblings()
  return { source: await LinkDaemon.over(laptop, post), target: await LinkDaemon.over(phone, post) }
}

export async function begin(leosDevices: 1 | 2, kimsDevices: 1 | 2): Promise<Story> {
  const post = new MemoryPost()
  const [leo, kim] = [await houseOn(leosDevices, post), await houseOn(kimsDevices, post)]
  await meet(post, leo.source, kim.source)
  return { post, leo, kim }
}

export interface Linked {
  readonly post: MemoryPost
  readonly laptop: LinkDaemon
  readonly phone: LinkDaemon
  readonly words: string
}

/** The laptop provides all contacts of the source app to the target app of the phone. */
export async function linked(): Promise<Linked> {
  const post = new MemoryPost()
  const own = await siblings()
  const [laptop, phone] = [await LinkDaemon.over(own.laptop, post), await LinkDaemon.over(own.phone, post)]
  await shareTable(laptop, phone)
  await link(post, { source: laptop, target: phone })
  expect([laptop.shown, phone.shown]).toEqual([[`${SHOP} > ${TALK}: linked`], [`${TALK} > ${SHOP}: linked`]])
  return { post, laptop, phone, words: own.words }
}

/** Provides all contacts of the source app to the target app. */
export async function link(post: MemoryPost, { source, target }: House, how: Receive['how'] = 'ask'): Promise<void> {
  const receive = { how, aDay: 20 }
  if (source === target) {
    await source.links.link(SHOP, TALK, { provide: 'all' })
    await source.links.link(TALK, SHOP, { receive })
  } else {
    const { invite } = await source.elsewhere.invite(SHOP, { provide: 'all' })
    await target.elsewhere.accept(TALK, invite, { receive })
  }
  await quiet(post, source, target)
}

/** Days pass at these daemons, and all that is due is done. */
export async function days(count: number, post: MemoryPost, ...daemons: readonly LinkDaemon[]): Promise<void> {
  for (let day = 0; day < count; day++) {
    for (const { channels } of daemons) channels.later(DAY_MS)
    await quiet(post, ...daemons)
  }
}

/** Ends all links of a daemon. */
export async function unlink(daemon: LinkDaemon): Promise<void> {
  for (const { id } of daemon.links.all) await daemon.links.unlink(id)
  daemon.elsewhere.look()
}

export async function states({ leo, kim }: Story): Promise<string[][]> {
  return [await leo.target.states(), await kim.target.states()]
}

export async function answer(house: House, other: House, answer: 'accepted' | 'declined'): Promise<void> {
  await house.target.proposals.answer(TALK, other.target.persona, answer)
}

/** Both people have linked two devices, or as many as they have, and are proposed to each other. */
export async function proposed(leos: 1 | 2, kims: 1 | 2): Promise<Story> {
  const story = await begin(leos, kims)
  const { post, leo, kim } = story
  for (const house of [leo, kim]) await link(post, house)
  await quiet(post, ...all(leo, kim))
  expect(await states(story)).toEqual([['proposed'], ['proposed']])
  return story
}

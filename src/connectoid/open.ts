/** Opens what a page needs: the tab's right to the channels, the disk, and the records on it. */
import { MAX_INTAKES } from '../channel/invite/address.ts'
import { isAppName } from '../core/encoding/app-name.ts'
import { BlobError } from '../core/errors.ts'
import { checkNickname } from '../core/nickname.ts'
import { portableBoxes } from '../crypto/portable-boxes.ts'
import { RelayError } from '../relay/errors.ts'
import { parseRelayUrl } from '../relay/relay-url.ts'
import type { BoxKeyPair } from '../seal/key-pair.ts'
import { browser } from './browser.ts'
import { Disk, type Kind } from './disk.ts'
import { ConnectoidError, unreadable } from './errors.ts'
import type { OpenOptions } from './interface.ts'
import { privateHosts } from './link.ts'
import { pageConnections } from './page-connections.ts'
import { pageClock, relayCarrier, type PageMeans } from './page-means.ts'
import { parseRecord, type PeerRecord } from './record.ts'

export interface OpenPage {
  readonly means: PageMeans
  /** Where links lead. */
  readonly url: string
  readonly records: ReadonlyMap<string, PeerRecord>
  /** The error UNREADABLE of each peer whose records cannot be used, by the id of the peer. */
  readonly unreadable: ReadonlyMap<string, ConnectoidError>
  /** Called when the browser takes the storage away. */
  onlost: () => void
  /** Gives the channels to the next tab. */
  close(): void
}

/** @throws {ConnectoidError} BAD_APP | BAD_SERVICE | BAD_NAME | BAD_ICE | UNSUPPORTED | STORAGE */
export async function openPage(options: OpenOptions): Promise<OpenPage> {
  const { app, service, name, page, checkMs, direct = false, ice = [], onwaiting } = options
  if (!isAppName(app))
    throw new ConnectoidError('BAD_APP', `"${app}" is no name of an app`, {
      hint: 'use a-z, 0-9, -',
    })
  const services = readServices(typeof service === 'string' ? [service] : service)
  if (name !== undefined) checkOwnName(name)
  checkBrowser()
  const connections = direct ? pageConnections(browser, ice, pageClock) : null
  const title = `connectoid ${app}`
  const release = await holdTab(title, onwaiting)
  const lost = { onlost: (): void => {} }
  try {
    const disk = await Disk.open(title, () => lost.onlost())
    const carrier = relayCarrier(checkMs)
    const ways = {
      of: (url: string) => (carrier.serves(url) ? carrier : null),
    }
    const { origin, pathname } = browser.location
    return Object.assign(lost, {
      means: {
        app,
        ownName: name ?? null,
        services,
        disk,
        carrier,
        clock: pageClock,
        direct: connections && { connections, engine: portableBoxes, clock: pageClock },
        ways,
      },
      url: page ?? origin + pathname,
      ...(await readRecords(disk)),
      close: () => {
        disk.close()
        release()
      },
    })
  } catch (error) {
    release()
    throw error
  }
}

function readServices(urls: readonly string[]): string[] {
  try {
    const services = [...new Set(urls.map((each) => parseRelayUrl(each, privateHosts()).url))]
    if (services.length > 0 && services.length <= MAX_INTAKES) return services
  } catch (cause) {
    if (!(cause instanceof RelayError)) throw cause
    throw new ConnectoidError('BAD_SERVICE', cause.message, {
      hint: 'a relay looks like https://relay.example/',
      cause,
    })
  }
  throw new ConnectoidError('BAD_SERVICE', `a page receives at 1 to ${MAX_INTAKES} relays`, { hint: 'name fewer' })
}

function checkOwnName(name: string): void {
  try {
    checkNickname(name)
  } catch (cause) {
    if (!(cause instanceof BlobError)) throw cause
    throw new ConnectoidError('BAD_NAME', cause.message, {
      hint: 'choose another name',
      cause,
    })
  }
}

function checkBrowser(): void {
  if (browser.indexedDB !== undefined && browser.navigator.locks !== undefined) return
  throw new ConnectoidError('UNSUPPORTED', 'this browser or page keeps no channels', {
    hint: 'use a page of https, and a browser of 2025 or later',
  })
}

/** Waits until no other tab has the channels. @returns gives them up */
async function holdTab(title: string, onwaiting: () => void = () => {}): Promise<() => void> {
  const { locks } = browser.navigator
  const take = (ifAvailable: boolean): Promise<(() => void) | null> =>
    new Promise((resolve) => {
      void locks.request(title, ifAvailable ? { ifAvailable } : {}, (lock) => {
        if (lock === null) return resolve(null)
        return new Promise<void>((release) => resolve(release))
      })
    })
  const held = await take(true)
  if (held !== null) return held
  onwaiting()
  return (await take(false))!
}

/** A record that cannot be read costs its own peer, and no other. */
async function readRecords(disk: Disk): Promise<Pick<OpenPage, 'records' | 'unreadable'>> {
  const records = new Map<string, PeerRecord>()
  const errors = new Map<string, ConnectoidError>()
  const pairs = await disk.pairs()
  for (const id of await disk.peers()) {
    try {
      records.set(id, await readRecord(id, disk, pairs))
    } catch (error) {
      if (!(error instanceof ConnectoidError)) errors.set(id, unreadable(error))
      else if (error.code === 'UNREADABLE') errors.set(id, error)
      else throw error
    }
  }
  return { records, unreadable: errors }
}

async function readRecord(id: string, disk: Disk, pairs: ReadonlyMap<string, BoxKeyPair>): Promise<PeerRecord> {
  const numbered = async (kind: Kind): Promise<ReadonlyMap<number, Uint8Array>> =>
    new Map((await disk.read(kind, id)).map(([key, value]) => [Number(key[2]), value]))
  const [[record], frames, early, contents] = await Promise.all([
    disk.read('peer', id),
    numbered('frame'),
    numbered('early'),
    numbered('out'),
  ])
  return parseRecord(record![1], pairs, { frames, early, contents })
}

/** Desktop notifications as a wing: what the owner should not miss, shown by the desktop of their session (docs/guide/service.md). */
import { NOTIFY as schema } from '../../ipc/methods/notify.ts'
import type { DaemonEvent } from '../../ipc/methods/events.ts'
import { notice, ok, type Finding } from '../../ipc/shapes/doctor.ts'
import { describeError } from '../../process/describe-error.ts'
import type { Keeper } from '../keeper/keeper.ts'
import { unapprovedDevices } from '../own/notes.ts'
import { OWN } from '../state/own-record.ts'
import type { Host, OpenWing, Wing } from '../wing/wing.ts'
import { BusError } from './bus.ts'
import { busSockets } from './bus-address.ts'
import { NOTIFY_SECTION, type NotifyConfig } from './config.ts'
import { hasDesktop, showNotice } from './desktop.ts'
import { Notifier } from './notifier.ts'
import { noticeOf, type Notice } from './texts.ts'

export const NOTIFY: Wing<object, NotifyConfig> = {
  schema,
  section: NOTIFY_SECTION,
  open: openNotify,
}

function openNotify({ keeper, env, log }: Host, first: NotifyConfig): OpenWing<object, NotifyConfig> {
  let config = first
  const sockets = (): string[] => busSockets(env)
  // A desktop that is away fails for every notice; one line in the log is enough.
  let hasFailed = false
  const show = async (shown: Notice): Promise<boolean> => {
    try {
      await showNotice(sockets(), shown)
      hasFailed = false
    } catch (error) {
      if (!hasFailed) log.warn('notify.failed', describeError(error))
      hasFailed = true
    }
    return !hasFailed
  }
  const notifier = new Notifier({ nowMs: () => Date.now(), later, show })
  // The devices that waited before this start were shown then.
  let unapproved: ReadonlySet<string> = new Set(waitingDevices(keeper))
  const onEvent = (event: DaemonEvent): void => {
    const made = noticeOf(event, unapproved)
    if (event.event === 'own.changed') unapproved = new Set(event.data.unapproved.map(({ key }) => key))
    if (made !== null && config.enabled && config.about.includes(made.kind) && sockets().length > 0)
      notifier.notify(made)
  }
  return {
    handlers: {},
    onEvent,
    reload: (changed) => void (config = changed),
    findings: async () => [await checkDesktop(config, sockets())],
    close: () => notifier.close(),
  }
}

/** Keys of the own devices that wait for approval. */
function waitingDevices(keeper: Keeper): string[] {
  const own = keeper.onDisk.own.get(OWN)
  return own === undefined ? [] : unapprovedDevices(own, keeper.ownPersona().devices).map(({ key }) => key)
}

function later(ms: number, run: () => void): () => void {
  const timer = setTimeout(run, ms)
  // A summary that waits must not keep the daemon from stopping.
  timer.unref()
  return () => clearTimeout(timer)
}

async function checkDesktop({ enabled }: NotifyConfig, sockets: readonly string[]): Promise<Finding> {
  if (!enabled) return ok('NOTIFY_OFF', 'desktop notifications are turned off')
  if (sockets.length === 0) return ok('NOTIFY_NO_BUS', 'there is no session bus, so alarms are not shown on a desktop')
  try {
    if (await hasDesktop(sockets)) return ok('NOTIFY', 'the desktop shows alarms, and what waits')
    return ok(
      'NOTIFY_NO_DESKTOP',
      'nothing on the session bus shows notifications, so alarms are not shown on a desktop',
    )
  } catch (error) {
    if (!(error instanceof BusError)) throw error
    const hint = 'if this daemon has no desktop, turn notifications off'
    return notice('NOTIFY_UNREACHABLE', `alarms are not shown on the desktop: ${error.message}`, hint)
  }
}

/** Why the apps key is closed, as sentences for the owner. */
import { CustodyError } from '../custody/errors.ts'

export type Closed =
  /** The key opens with the passphrase. */
  | { readonly why: 'locked' }
  /** The service did not get the credential. */
  | { readonly why: 'credential' }
  /** The file does not open with the secrets that are here, or is damaged. */
  | { readonly why: 'foreign' }
  /** A file could not be read or written. */
  | { readonly why: 'failed'; readonly message: string }

/** A sentence without its end. */
export function reasonOf(closed: Closed): string {
  switch (closed.why) {
    case 'locked':
      return 'its key opens with the passphrase'
    case 'credential':
      return 'the service did not get the credential that seals its key'
    case 'foreign':
      return 'its key, the file "apps", does not open with the secrets that are here, or is damaged'
    case 'failed':
      return closed.message
  }
}

export function adviceFor(closed: Closed): string {
  switch (closed.why) {
    case 'locked':
      return 'unlock the signing key'
    case 'credential':
      return 'start the daemon as the service whose unit loads the credential'
    case 'foreign':
      return 'put the files "secrets" and "apps" back that belong together; to begin without what apps kept, move the file "apps" away and start again'
    case 'failed':
      return 'look at the file "apps" in the state directory; the daemon tries again by itself'
  }
}

export function appsLocked(closed: Closed): CustodyError {
  return new CustodyError('APPS_LOCKED', `what apps keep is locked: ${reasonOf(closed)}`, adviceFor(closed), {
    needsUnlock: closed.why === 'locked',
  })
}

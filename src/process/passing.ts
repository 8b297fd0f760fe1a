/** Whether an error may pass by itself, so that a later try may succeed. */

// Not EAGAIN: it is how the system says that another process holds the lock, which a person has to decide on.
/** Too little of something that others use and give back, or a disk that fails or waits for its repair. */
const ERRNOS: ReadonlySet<string> = new Set(
  'ENOSPC EDQUOT EFBIG EMFILE ENFILE ENOMEM ENOBUFS EBUSY EIO EROFS ETIMEDOUT ESTALE'.split(' '),
)
/** Codes of ours: a database of a relay that is away, or full, or into which or out of which somebody moves a relay. */
const CODES: ReadonlySet<string> = new Set(['DATABASE_UNREACHABLE', 'DATABASE_FULL', 'DATABASE_MOVING'])
// Native code, such as LevelDB, hands on only the text of strerror(3).
const TEXTS =
  /No space left on device|Disk quota exceeded|File too large|Too many open files|Cannot allocate memory|Input\/output error|Read-only file system/
const NO_ROOM = /No space left on device|Disk quota exceeded|ENOSPC|EDQUOT/
const MAX_CAUSES = 8 // sanity: a chain of causes may form a ring

/** Looks at the error and at all its causes. */
export function mayPass(error: unknown): boolean {
  return causesOf(error).some((at) => ('code' in at && isPassing(String(at.code))) || TEXTS.test(at.message))
}

function isPassing(code: string): boolean {
  return ERRNOS.has(code) || CODES.has(code)
}

/** Whether the disk is full, or the quota used up, so that the removal of a file may help. */
export function lacksRoom(error: unknown): boolean {
  return causesOf(error).some((at) => ('code' in at && NO_ROOM.test(String(at.code))) || NO_ROOM.test(at.message))
}

function causesOf(error: unknown): Error[] {
  const causes: Error[] = []
  for (let at = error; at instanceof Error && causes.length < MAX_CAUSES; at = at.cause) causes.push(at)
  return causes
}

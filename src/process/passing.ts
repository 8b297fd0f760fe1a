/** Whether an error may pass by itself, so that a later try may succeed. */

// Not EAGAIN: it is how the system says that another process holds the lock, which a person has to decide on.
/** Too little of something that others use and give back, or a disk that fails or waits for its repair. */
const ERRNOS: ReadonlySet<string> = new Set(
  'ENOSPC EDQUOT EFBIG EMFILE ENFILE ENOMEM ENOBUFS EBUSY EIO EROFS ETIMEDOUT ESTALE'.split(' '),
)
// Native code, such as LevelDB, hands on only the text of strerror(3).
const TEXTS =
  /No space left on device|Disk quota exceeded|File too large|Too many open files|Cannot allocate memory|Input\/output error|Read-only file system/
const MAX_CAUSES = 8 // sanity: a chain of causes may form a ring

/** Looks at the error and at all its causes. */
export function mayPass(error: unknown): boolean {
  for (let at = error, n = 0; at instanceof Error && n < MAX_CAUSES; at = at.cause, n++)
    if (('code' in at && ERRNOS.has(String(at.code))) || TEXTS.test(at.message)) return true
  return false
}

/** Bounds of single calls that both sides know (docs/ipc.md, section 1). In a file of their own, since the method table loads all schemas. */

export const MAX_BATCH = 256 // sanity: observations in one call; a friend record is about 1.2 kB, so a batch stays far below a frame
export const MAX_PAGE = 500 // sanity: contacts in one page; the page ends earlier where contacts are large

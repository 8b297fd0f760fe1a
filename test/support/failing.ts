/** The code of the error that a function throws. */

/** @returns the code of the error thrown, or `nothing` */
export function codeThrownBy(act: () => unknown): string {
  try {
    act()
  } catch (error) {
    if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code
    throw error
  }
  return 'nothing'
}

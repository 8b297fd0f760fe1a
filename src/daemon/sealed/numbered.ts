/** Ids of sealed records that are counted: the order of the ids is that of the numbers. */

const DIGITS = 14 // format: as many as the greatest safe integer has in hex

/** The id of a record beside another one, or of an app. */
export function numbered(id: string, ...numbers: readonly number[]): string {
  return [id, ...numbers.map((number) => number.toString(16).padStart(DIGITS, '0'))].join('/')
}

/** The numbers of such an id. */
export function numbersIn(recordId: string): number[] {
  return recordId
    .split('/')
    .slice(1)
    .map((digits) => Number.parseInt(digits, 16))
}

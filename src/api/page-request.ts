import type { PageRequest } from '../storage/page.ts'

/** Rows per page unless a number is given. */
export const DEFAULT_SIZE = 20
/** Beyond this no list can have rows, and the offset stays an exact integer. */
const LAST_PAGE = 1_000_000_000

/** The wanted page moved into bounds: pages count from 1, sizes go up to `max`. */
export function pageRequest(
  input: { page?: number | undefined; page_size?: number | undefined },
  max: number,
): PageRequest {
  const size = input.page_size ?? DEFAULT_SIZE
  return {
    page: Math.min(Math.max(input.page ?? 1, 1), LAST_PAGE),
    page_size: size < 1 ? DEFAULT_SIZE : Math.min(size, max),
  }
}

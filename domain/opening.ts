/** A stretch of time in which something may start. */

export interface Opening {
  /** Milliseconds since the epoch. */
  from: number;
  /** Milliseconds since the epoch; not part of it, and later than `from`. */
  to: number;
}

/** Days that a search for openings or times goes over before it gives up: five years. */
export const searchDays = 5 * 366;

/** How steps and hosts are laid out; progress.ts takes as much of it as there is room for. */
import type { HostRow } from './host-rows.js';

export interface Layout {
  /** The steps of the rotation as a whole: the fullest form first. */
  steps: string[][];
  /** A host on one line. */
  short(row: HostRow): string;
  /** A host with all that it says. */
  long(row: HostRow): string[];
}

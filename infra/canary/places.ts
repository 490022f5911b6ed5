/** All places that are searched for the canary value. */
export { filesPlace, diskPlace } from './places/disk.js';
export { gitPlace } from './places/git.js';
export { hostDiskPlace, hostStorePlace } from './places/host-disk.js';
export { journalPlace } from './places/journal.js';
export { storePlace } from './places/nix-store.js';
export { postgresLogPlace } from './places/postgres-log.js';
export { processesPlace, ProcessSampler, runsInUnit } from './places/processes.js';
export { databasePlace } from './places/database.js';
export { newDecoy, searchAll, searchPlace } from './place.js';
export type { Finding, Hit, Place } from './place.js';
export type { Needle } from './forms.js';

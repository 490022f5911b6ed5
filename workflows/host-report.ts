/** What a host is busy with, for a watcher; and that it was this host which failed. */
import { isCancellation } from '@temporalio/workflow';
import { reasonOf } from './reason.js';

export type HostReport = (host: string, message: string, state?: 'running' | 'failed') => void;

/** Runs `work` for a host and reports its failure, unless it was only given up because another failed. */
export async function telling(report: HostReport, host: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!isCancellation(error)) report(host, reasonOf(error).message, 'failed');
    throw error;
  }
}

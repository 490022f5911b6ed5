/** The SDK's runtime, of which a process has one: its log and its metrics. */
import type { Logger } from '@temporalio/common';
import { Runtime, makeTelemetryFilterString } from '@temporalio/worker';

import { logOptions, makeLogger, type LogOptions } from './logger.js';

export interface RuntimeSettings {
  log?: LogOptions;
  /** `127.0.0.1:9464`: serves Prometheus metrics there. Default: none. */
  prometheus?: string;
}

let installed: Logger | undefined;

/**
 * Installs the runtime; must come before the first connection of the worker. Returns the redacting logger. A second
 * call in the same process changes nothing.
 */
export function installRuntime(settings: RuntimeSettings = {}): Logger {
  if (installed !== undefined) return installed;
  const log = settings.log ?? logOptions();
  const logger = makeLogger(log);
  Runtime.install({
    logger,
    // Ours to handle: `rotate dev` ends the worker before the server (run-worker.ts).
    shutdownSignals: [],
    telemetryOptions: {
      logging: { filter: makeTelemetryFilterString({ core: 'WARN', other: 'ERROR' }), forward: {} },
      ...(settings.prometheus === undefined
        ? {}
        : { metrics: { prometheus: { bindAddress: settings.prometheus, countersTotalSuffix: true } } }),
    },
  });
  installed = logger;
  return logger;
}

/** All workflows, for the bundle. */
export { claim } from './claim.js';
export { inspectFleet, inspectPlan } from './inspect.js';
export { ping } from './ping.js';
export { rotation } from './rotation.js';
export { wave } from './wave.js';

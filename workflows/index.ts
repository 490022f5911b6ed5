/** All workflows, for the bundle. */
export { ages } from './ages.js';
export { claim } from './claim.js';
export { due } from './due.js';
export { inspectFleet, inspectPlan, inspectPlans } from './inspect.js';
export { notify } from './notify.js';
export { ping } from './ping.js';
export { rotation } from './rotation.js';
export { sequence } from './sequence.js';
export { wave } from './wave.js';

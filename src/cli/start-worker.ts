/** Starts the worker of the first guest thread when the command line is likely that of a run. Imported first, for that alone. */
import { startFirstWorker } from '../engine/first-worker.js';

const [, , first] = process.argv;
if (first !== undefined && !/^(dump|bench|--?help|-h|--?version)$/.test(first)) startFirstWorker();

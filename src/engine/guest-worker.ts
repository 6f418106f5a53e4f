/** Entry of the workers that run guest threads in the tiers `auto` and `interp`. In: WorkerStart. Out: guest threads, one after another. */
import { serveGuests } from './guest-serve.js';

void serveGuests();

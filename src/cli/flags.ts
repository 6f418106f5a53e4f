/**
 * V8's flags that a run sets anyhow, set before anything else is loaded: they are part of the key of V8's code caches (scripts/bundle/main.cjs), and one that is set later makes V8 refuse those.
 * The first import of bin/lift64.js. In: nothing. Out: nothing.
 */
import { enableRelaxedSimd } from '../engine/relaxed-simd.js';

enableRelaxedSimd();

/** Runs the static clone example again and again under --tier auto: `node scripts/stress-clone.js [RUNS]` (50). Exit 1 at the first run that is not right. */
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const runs = Number(process.argv[2] ?? 50);
let slowest = 0;
for (let i = 1; i <= runs; i++) {
  const start = Date.now();
  const r = spawnSync(
    process.execPath,
    [join(ROOT, 'bin', 'lift64.js'), '--tier', 'auto', join(ROOT, 'examples', 'bin', 'clone-static')],
    { encoding: 'utf8', timeout: 30_000 },
  );
  slowest = Math.max(slowest, Date.now() - start);
  const lines = r.stdout.split('\n');
  const children = lines.filter((l) => /^child [AB]: line \d+ of 10$/.test(l)).length;
  if (
    r.status !== 0 ||
    children !== 20 ||
    !lines.includes('status1=0x0') ||
    !lines.includes('status2=0x0') ||
    !lines.includes('End of clone test.')
  ) {
    console.error(`run ${i}: status ${r.status} signal ${r.signal}\n${r.stdout}${r.stderr}`);
    process.exit(1);
  }
}
console.log(`${runs} runs of clone-static, all right; the slowest took ${slowest} ms`);

/** Writes docs/programs.md from rows and results; with --check: status 1 when the committed one differs. usage: node dist/tests/matrix/write-page.js [--check] */
import { pageIsCurrent, writePage } from './page.js';

if (!process.argv.includes('--check')) writePage();
else if (!pageIsCurrent()) {
  console.error('docs/programs.md is not what tests/matrix/ says: npm run build && npm run page');
  process.exitCode = 1;
}

/**
 * docs/syscalls.md, from the system call table. In: the built table (dist/). Out: the page, written; with --check: exit code 1 when the committed one differs.
 * usage: node scripts/syscall-page.js [--check], after npm run build.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';

const PAGE = 'docs/syscalls.md';
const BUILT = new URL('../dist/runtime/linux/table.js', import.meta.url);
if (!existsSync(BUILT)) {
  console.error('syscall-page: dist/ is not built (npm run build)');
  process.exit(1);
}
const { allRows } = await import(BUILT.href);

const cell = (text) => text.replaceAll('|', '\\|').replaceAll('_', '\\_').replaceAll('*', '\\*');
const rows = allRows();
const count = (support) => rows.filter((r) => r.support === support).length;
const page = `# System calls

Written by \`npm run page\` from the rows in \`runtime/linux/syscalls/\`: change those.

${rows.length} calls of x86-64: ${count('yes')} are served whole, ${count('partly')} in part, ${count('no')} not. A call that is not served fails with
the errno of its row (ENOSYS where none is named), and lift64 says so once on its log.

| number | call | served | what is missing, or what to know |
| -----: | :--- | :----- | :------------------------------- |
${rows.map((r) => `| ${r.nr} | ${cell(r.name)} | ${r.support} | ${cell(r.note ?? '')} |`).join('\n')}
`;
if (process.argv.includes('--check')) {
  if (!existsSync(PAGE) || readFileSync(PAGE, 'utf8') !== page) {
    console.error(`${PAGE} is not what the system call table says: npm run build && npm run page`);
    process.exit(1);
  }
} else {
  mkdirSync('docs', { recursive: true });
  writeFileSync(PAGE, page);
}

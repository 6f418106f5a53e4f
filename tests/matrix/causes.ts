/** Why a row is not right, where that is known: data for docs/programs.md. A row that is right shows none. */
export const CAUSES: Readonly<Record<string, string>> = {
  gdb: 'ptrace is not served',
  strace: 'ptrace is not served',
  unshare: 'there is one namespace of each kind: unshare fails with EPERM',
};

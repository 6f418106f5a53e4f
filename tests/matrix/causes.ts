/** Why a row is not right, where that is known: data for docs/programs.md. A row that is right shows none. */
export const CAUSES: Readonly<Record<string, string>> = {
  'python3: asyncio': 'TCP was not served when this was run; not run since',
  'python3: http.server and curl': 'TCP was not served when this was run; not run since',
  php: 'its server needs TCP, which was not served when this was run; not run since',
  'java: hello': 'java itself is right; javac wants a socketpair, which lift64 did not have when this was run',
  'rust: threads': 'found the fault of inherited regions after fork, which is mended; not run since',
  gdb: 'ptrace is not served',
  strace: 'ptrace is not served',
  valgrind: 'it lays itself out at fixed addresses; not looked into',
  'python3: interactive': 'Ctrl-C at the prompt, with the terminal in raw mode, raised no signal',
  'bash: interactive': 'the name of the terminal or its size; and the row is not steady natively on a busy host',
  'util-linux': 'not run since ioprio_get is served',
};

/** Why a row is not right, where that is known: data for docs/programs.md. A row that is right shows none. */
export const CAUSES: Readonly<Record<string, string>> = {
  unshare: 'there is one namespace of each kind: unshare fails with EPERM',
};

/**
 * Guest paths as byte strings: latin1, one character a byte, so that any name goes through unharmed. In: strings. Out: strings.
 * Source: man 7 path_resolution.
 */
declare const brand: unique symbol;
/** A path in guest terms; characters are bytes 1..255. */
export type BytePath = string & { readonly [brand]: 'BytePath' };

export function bytePath(text: string): BytePath {
  return text as BytePath;
}

/** The path of a host call, which takes bytes. */
export function hostBytes(path: string): Buffer {
  return Buffer.from(path, 'latin1');
}

export function fromBytes(bytes: Uint8Array): BytePath {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1') as BytePath;
}

export const isAbsolute = (path: string): boolean => path.startsWith('/');

/** `path` seen from the absolute directory `base`. */
export function joinPath(base: BytePath, path: string): BytePath {
  if (path === '') return base;
  if (isAbsolute(path)) return bytePath(path);
  return bytePath(base.endsWith('/') ? base + path : `${base}/${path}`);
}

/** An absolute path without empty and dot components; `..` takes the name before it away, whatever a symbolic link would do. */
export function normalize(path: string): BytePath {
  const out: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..') out.pop();
    else out.push(part);
  }
  return bytePath('/' + out.join('/'));
}

/** Last component, trailing slashes ignored. */
export function baseName(path: string): string {
  const end = path.replace(/\/+$/, '');
  return end.slice(end.lastIndexOf('/') + 1);
}

/** Everything before the last component; `/` or `.` where nothing is left. */
export function dirName(path: string): BytePath {
  const end = path.replace(/\/+$/, '');
  const slash = end.lastIndexOf('/');
  if (slash < 0) return bytePath('.');
  return bytePath(slash === 0 ? '/' : end.slice(0, slash));
}
